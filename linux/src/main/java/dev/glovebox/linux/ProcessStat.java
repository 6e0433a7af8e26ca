package dev.glovebox.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// What `/proc/PID/stat` says of a process, `proc_pid_stat(5)`: who started it and when. Neither
/// can be changed by the process itself.
///
/// @param pid as this process sees it
/// @param parent the process that started it, or, when that has ended, its reaper
/// @param started ticks after the boot, of which a second has 100 ([#now])
public record ProcessStat(int pid, int parent, long started) {
    private static final Path UPTIME = Path.of("/proc/uptime");
    private static final int FIELDS = 20; // the last of which is starttime, counted from the state

    /// Of a process; empty if it is gone.
    public static Optional<ProcessStat> of(int pid) {
        try {
            return Optional.of(parse(Files.readString(Path.of("/proc/" + pid + "/stat"))));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// Its pid in its own pid namespace; 0 if it is gone.
    public int pidInside() {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                    .filter(line -> line.startsWith("NSpid:"))
                    .map(line -> line.substring(line.lastIndexOf('\t') + 1))
                    .mapToInt(Integer::parseInt)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            return 0;
        }
    }

    /// The tick that it is now: what starts from now on has this one or a later one.
    public static long now() {
        try {
            String seconds = Files.readString(UPTIME).split(" ", 2)[0];
            return Long.parseLong(seconds.replace(".", ""));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + UPTIME, e);
        }
    }

    /// Reads the file; the name of a program, in parentheses, may hold anything.
    static ProcessStat parse(String text) {
        String[] fields = text.substring(text.lastIndexOf(')') + 2).split(" ", FIELDS + 1);
        return new ProcessStat(
                Integer.parseInt(text.substring(0, text.indexOf(' '))),
                Integer.parseInt(fields[1]),
                Long.parseLong(fields[FIELDS - 1]));
    }
}
