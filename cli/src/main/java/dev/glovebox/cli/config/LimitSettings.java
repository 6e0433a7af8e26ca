package dev.glovebox.cli.config;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.workspace.WorkspaceLimits;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/// The part `limits:` of a file of settings: of each sandbox, and of its workspace.
final class LimitSettings {
    /// The keys it reads.
    static final Set<String> KEYS =
            Set.of(
                    "limits.memory",
                    "limits.cpus",
                    "limits.pids",
                    "limits.open-files",
                    "limits.time",
                    "limits.disk-rate",
                    "limits.disk",
                    "limits.files");

    private LimitSettings() {}

    /// Limits with what the file says instead of the given ones.
    static Limits read(Settings settings, Limits limits) {
        Limits read = settings.get("limits.memory", limits::withMemory).orElse(limits);
        read = settings.get("limits.cpus", number(read::withCpus)).orElse(read);
        read = settings.get("limits.pids", whole(read::withPids)).orElse(read);
        read = settings.get("limits.open-files", whole(read::withOpenFiles)).orElse(read);
        read = settings.get("limits.time", time(read::withTime)).orElse(read);
        return settings.get("limits.disk-rate", read::withDiskRate).orElse(read);
    }

    /// Limits of a workspace with what the file says instead of the given ones; empty = none.
    static Optional<WorkspaceLimits> disk(Settings settings, Optional<WorkspaceLimits> given) {
        WorkspaceLimits limits = given.orElse(WorkspaceLimits.DEFAULT);
        Optional<WorkspaceLimits> files = settings.get("limits.files", whole(limits::withFiles));
        Optional<WorkspaceLimits> read = files.isPresent() ? files : given;
        return settings.get("limits.disk", disk(read.orElse(limits))).orElse(read);
    }

    private static Function<String, Optional<WorkspaceLimits>> disk(WorkspaceLimits limits) {
        return text ->
                text.equals("none")
                        ? Optional.empty()
                        : Optional.of(limits.withBytes(Limits.bytes(text)));
    }

    private static <T> Function<String, T> time(Function<Duration, T> then) {
        return text -> then.apply(Durations.parse(text));
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
