package dev.glovebox.cli.config;

import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// A time on the command line, longer than none.
public final class DurationOption implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
        try {
            Duration time = Durations.parse(text);
            if (time.isZero()) {
                throw new TypeConversionException("a time must be longer than none");
            }
            return time;
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
