package dev.glovebox.cli.config;

import dev.glovebox.sandbox.Limits;
import java.util.Set;
import java.util.function.Function;

/// The part `limits:` of a file of settings: of each sandbox.
final class LimitSettings {
    /// The keys it reads.
    static final Set<String> KEYS =
            Set.of("limits.memory", "limits.cpus", "limits.pids", "limits.open-files");

    private LimitSettings() {}

    /// Limits with what the file says instead of the given ones.
    static Limits read(Settings settings, Limits limits) {
        Limits read = settings.get("limits.memory", limits::withMemory).orElse(limits);
        read = settings.get("limits.cpus", number(read::withCpus)).orElse(read);
        read = settings.get("limits.pids", whole(read::withPids)).orElse(read);
        return settings.get("limits.open-files", whole(read::withOpenFiles)).orElse(read);
    }

    /// Reads a whole number.
    static <T> Function<String, T> whole(Function<Integer, T> then) {
        return text -> {
            try {
                return then.apply(Integer.parseInt(text));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("'" + text + "' is not a whole number", e);
            }
        };
    }

    private static <T> Function<String, T> number(Function<Double, T> then) {
        return text -> {
            try {
                return then.apply(Double.parseDouble(text));
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException("'" + text + "' is not a number", e);
            }
        };
    }
}
