package dev.glovebox.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/// What makes a control group stand still: `freezer.state` of version 1, `cgroup.freeze` of version
/// 2 (Linux 5.2).
///
/// Version 1 says `FREEZING` until the last process has stopped, and looks only when it is read. It
/// tells each process once, and one that is just about to stop for its tracer, as gVisor's do all
/// the time, misses that and stays `FREEZING` for ever (seen on Linux 6.18). So it is told again.
///
/// @param control where to write what is wanted
/// @param stop what to write there to stop
/// @param go what to write there to go on
/// @param events where to read what is so
/// @param stopped the line there that says that all stand
record Freezer(Path control, String stop, String go, Path events, String stopped) {
    private static final long POLL_NANOS = 500_000;
    private static final long AGAIN_NANOS = 20_000_000;

    /// @param legacy where the group is in the version 1 hierarchy, which goes first
    /// @param unified its file in the version 2 hierarchy
    static Optional<Freezer> of(Optional<Path> legacy, Optional<Path> unified) {
        return legacy.filter(Files::isDirectory)
                .map(directory -> directory.resolve("freezer.state"))
                .map(state -> new Freezer(state, "FROZEN", "THAWED", state, "FROZEN"))
                .or(() -> unified.map(Freezer::ofUnified));
    }

    private static Freezer ofUnified(Path file) {
        return new Freezer(file, "1", "0", file.resolveSibling("cgroup.events"), "frozen 1");
    }

    void ask(boolean freeze) throws IOException {
        Files.writeString(control, freeze ? stop : go);
    }

    boolean stands() throws IOException {
        return Files.readString(events).lines().anyMatch(stopped::equals);
    }

    /// Asks until it is so.
    ///
    /// @return whether it is so within the deadline
    boolean reaches(boolean frozen, Duration deadline) throws IOException {
        ask(frozen);
        long now = System.nanoTime();
        long end = now + deadline.toNanos();
        for (long again = now + AGAIN_NANOS; stands() != frozen; now = System.nanoTime()) {
            if (now > end) {
                return false;
            }
            if (now > again) {
                ask(frozen);
                again = now + AGAIN_NANOS;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }
}
