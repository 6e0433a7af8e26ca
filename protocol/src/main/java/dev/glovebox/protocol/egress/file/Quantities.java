package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Quoted;
import java.time.Duration;
import java.util.List;

/// Numbers with a unit, as a policy file spells them.
final class Quantities {
    private Quantities() {}

    /// A whole number of at most 15 digits.
    static long count(String text) {
        if (!text.matches("0|[1-9][0-9]{0,14}")) {
            throw new PolicyException(Quoted.of(text) + " is not a whole number");
        }
        return Long.parseLong(text);
    }

    /// A time such as `30s`, `5m`, `2h` or `1d`.
    static Duration time(String text) {
        if (!text.matches("[1-9][0-9]{0,6}[smhd]")) {
            throw new PolicyException(Quoted.of(text) + " is not a time such as 30s, 5m, 2h, 1d");
        }
        long count = Long.parseLong(text, 0, text.length() - 1, 10);
        return switch (text.charAt(text.length() - 1)) {
            case 's' -> Duration.ofSeconds(count);
            case 'm' -> Duration.ofMinutes(count);
            case 'h' -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
    }

    /// A number of bytes such as `4096`, `10k`, `5m` or `2g`, in powers of 1024.
    static long bytes(String text) {
        if (!text.matches("[1-9][0-9]{0,11}[kmg]?")) {
            throw new PolicyException(Quoted.of(text) + " is not a size such as 10k, 5m, 2g");
        }
        int shift =
                switch (text.charAt(text.length() - 1)) {
                    case 'k' -> 10;
                    case 'm' -> 20;
                    case 'g' -> 30;
                    default -> 0;
                };
        int digits = shift == 0 ? text.length() : text.length() - 1;
        return Long.parseLong(text, 0, digits, 10) << shift;
    }

    /// A time of whole seconds as it is read, in the largest unit that it is a multiple of.
    static String time(Duration time) {
        long seconds = time.toSeconds();
        if (seconds % 86_400 == 0) {
            return seconds / 86_400 + "d";
        }
        if (seconds % 3600 == 0) {
            return seconds / 3600 + "h";
        }
        return seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
    }

    /// A number of bytes as it is read, in the largest unit that it is a multiple of.
    static String bytes(long count) {
        int unit = Math.min(Long.numberOfTrailingZeros(count) / 10, 3);
        return (count >> (10 * unit)) + List.of("", "k", "m", "g").get(unit);
    }
}
