package dev.glovebox.sandbox;

import dev.glovebox.sandbox.SandboxException.Band;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What one sandbox may use.
///
/// `/tmp` and `/home/agent` are in memory and count as memory: each may grow to a quarter of it,
/// and `/dev/shm` to an eighth, so that all of them full leave more than a third. Each has a limit
/// of files too.
///
/// @param memoryBytes most memory, with no swap besides; 32 MiB to 1 TiB
/// @param cpus processors' worth of time, such as 0.5; 0.05 to 1024
/// @param pids most processes and threads together; 8 to 4,194,304
/// @param openFiles most descriptors of one process, clamped to what this host allows; 64 to
///   1,048,576
/// @param fileBytes longest one file, holes included (`RLIMIT_FSIZE`); 1 MiB to 8 EiB
/// @param time from the first moment it is a session's; 1 s to 30 days. It then ends
/// @param diskRate bytes a second read from, and as many written to, each disk that is shown
///   writable, as far as this host can limit that; 64 KiB to 1 TiB, 0 = no limit
public record Limits(
        long memoryBytes,
        double cpus,
        int pids,
        int openFiles,
        long fileBytes,
        Duration time,
        long diskRate) {
    private static final long MEBI = 1L << 20;
    private static final Pattern SIZE = Pattern.compile("(\\d{1,15})([kmgt]?)(?:i?b)?");
    private static final String UNITS = "kmgt";

    private static final int OPEN_FILES = 16_384;
    private static final long FILE_BYTES = 10_240 * MEBI;

    private static final Duration TIME = Duration.ofHours(24);
    private static final Duration LEAST_TIME = Duration.ofSeconds(1);
    private static final Duration MOST_TIME = Duration.ofDays(30);
    private static final long LEAST_RATE = 64 << 10;

    /// 2 GiB, 2 processors, 512 processes, 16,384 descriptors, 10 GiB a file, 24 hours, disks as
    /// fast as they are.
    public static final Limits DEFAULT = new Limits(2048 * MEBI, 2, 512);

    /// @throws SandboxException [Band#CALLER] for a value out of its range
    public Limits {
        if (memoryBytes < 32 * MEBI || memoryBytes > MEBI * MEBI) {
            throw bad("memory must be between 32m and 1t: " + memoryBytes);
        }
        if (!(cpus >= 0.05 && cpus <= 1024)) {
            throw bad("cpus must be between 0.05 and 1024: " + cpus);
        }
        if (pids < 8 || pids > 4_194_304) {
            throw bad("pids must be between 8 and 4194304: " + pids);
        }
        if (openFiles < 64 || openFiles > 1_048_576) {
            throw bad("open files must be between 64 and 1048576: " + openFiles);
        }
        if (fileBytes < MEBI) {
            throw bad("longest file must be 1m or more: " + fileBytes);
        }
        if (time.compareTo(LEAST_TIME) < 0 || time.compareTo(MOST_TIME) > 0) {
            throw bad("time must be between 1s and 720h: " + time);
        }
        if (diskRate != 0 && (diskRate < LEAST_RATE || diskRate > MEBI * MEBI)) {
            throw bad("disk rate must be between 64k and 1t, or none: " + diskRate);
        }
    }

    /// With 16,384 descriptors and 10 GiB a file.
    public Limits(long memoryBytes, double cpus, int pids) {
        this(memoryBytes, cpus, pids, OPEN_FILES, FILE_BYTES);
    }

    /// For 24 hours, with disks as fast as they are.
    public Limits(long memoryBytes, double cpus, int pids, int openFiles, long fileBytes) {
        this(memoryBytes, cpus, pids, openFiles, fileBytes, TIME, 0);
    }

    /// Reads a size: digits and one of `k`, `m`, `g`, `t` (powers of 1,024) or no unit for bytes,
    /// such as `256m` or `2GiB`.
    ///
    /// @throws SandboxException [Band#CALLER] for anything else
    public static long bytes(String text) {
        Matcher matcher = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw bad("not a size such as 256m: " + text);
        }
        int shift = matcher.group(2).isEmpty() ? 0 : 10 * (UNITS.indexOf(matcher.group(2)) + 1);
        long number = Long.parseLong(matcher.group(1));
        if (number > Long.MAX_VALUE >> shift) {
            throw bad("too large a size: " + text);
        }
        return number << shift;
    }

    /// Whether a sandbox that was started with other limits can be given these while it runs: its
    /// places in memory have their sizes, and its processes their own limits, from the start.
    public boolean canFollow(Limits started) {
        return memoryBytes >= started.memoryBytes
                && openFiles == started.openFiles
                && fileBytes == started.fileBytes;
    }

    /// These limits with another one for memory, `256m`.
    public Limits withMemory(String size) {
        return new Limits(bytes(size), cpus, pids, openFiles, fileBytes, time, diskRate);
    }

    /// These limits with another share of processors.
    public Limits withCpus(double share) {
        return new Limits(memoryBytes, share, pids, openFiles, fileBytes, time, diskRate);
    }

    /// These limits with another number of processes.
    public Limits withPids(int most) {
        return new Limits(memoryBytes, cpus, most, openFiles, fileBytes, time, diskRate);
    }

    /// These limits with another number of descriptors of a process.
    public Limits withOpenFiles(int most) {
        return new Limits(memoryBytes, cpus, pids, most, fileBytes, time, diskRate);
    }

    /// These limits with another longest file.
    public Limits withFileBytes(long most) {
        return new Limits(memoryBytes, cpus, pids, openFiles, most, time, diskRate);
    }

    /// These limits with another time.
    public Limits withTime(Duration most) {
        return new Limits(memoryBytes, cpus, pids, openFiles, fileBytes, most, diskRate);
    }

    /// These limits with another speed of disks, `50m` a second, or `none`.
    public Limits withDiskRate(String most) {
        long rate = most.equals("none") ? 0 : bytes(most);
        if (rate == 0 && !most.equals("none")) {
            throw bad("disk rate must be between 64k and 1t, or none: " + most);
        }
        return new Limits(memoryBytes, cpus, pids, openFiles, fileBytes, time, rate);
    }

    long tmpBytes() {
        return memoryBytes / 4;
    }

    long homeBytes() {
        return memoryBytes / 4;
    }

    /// Most that is written to a root that can be written; it is in memory.
    public long rootBytes() {
        return memoryBytes / 4;
    }

    long shmBytes() {
        return Math.min(64 * MEBI, memoryBytes / 8);
    }

    private static SandboxException bad(String message) {
        return new SandboxException(Band.CALLER, message);
    }
}
