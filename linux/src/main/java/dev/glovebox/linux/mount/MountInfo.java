package dev.glovebox.linux.mount;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// One line of `/proc/PID/mountinfo`, `proc_pid_mountinfo(5)`.
///
/// @param id of the mount
/// @param root the directory of the file system that is the root of this mount
/// @param target where it is mounted, seen from the process's root
/// @param options of this mount: `ro` or `rw`, `nosuid`, `nodev`, ...
/// @param type of the file system, such as `tmpfs`
/// @param source as the file system calls it
/// @param superOptions of the file system, which all its mounts share: `hidepid=invisible`,
///   `size=16384k`, ...
public record MountInfo(
        int id,
        String root,
        String target,
        Set<String> options,
        String type,
        String source,
        Set<String> superOptions) {
    private static final int FIRST_OPTIONAL_FIELD = 6;

    public MountInfo {
        options = Set.copyOf(options);
        superOptions = Set.copyOf(superOptions);
    }

    /// What the calling process sees mounted now.
    ///
    /// @throws UncheckedIOException when `/proc` cannot be read
    public static List<MountInfo> ofThisProcess() {
        return in(Path.of("/proc/self/mountinfo"));
    }

    /// What the calling thread, of [KernelThread], sees mounted now.
    static List<MountInfo> ofThisThread() {
        return in(Path.of("/proc/thread-self/mountinfo"));
    }

    private static List<MountInfo> in(Path file) {
        try {
            return parse(Files.readString(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /// Reads the whole file; of two mounts at one target the later one is on top.
    ///
    /// @throws IllegalArgumentException naming a line that is not of the kernel's form
    public static List<MountInfo> parse(String text) {
        List<MountInfo> mounts = new ArrayList<>();
        for (String line : text.lines().toList()) {
            mounts.add(parseLine(line));
        }
        return List.copyOf(mounts);
    }

    /// The mount that a path lookup of exactly this target ends in: the topmost one there.
    public static Optional<MountInfo> at(List<MountInfo> mounts, String target) {
        return mounts.reversed().stream().filter(m -> m.target().equals(target)).findFirst();
    }

    private static MountInfo parseLine(String line) {
        List<String> fields = List.of(line.split(" ", -1));
        int separator = fields.indexOf("-");
        if (separator < FIRST_OPTIONAL_FIELD || fields.size() < separator + 4) {
            throw new IllegalArgumentException("not a line of mountinfo: " + line);
        }
        return new MountInfo(
                Integer.parseInt(fields.getFirst()),
                unescape(fields.get(3)),
                unescape(fields.get(4)),
                words(fields.get(5)),
                fields.get(separator + 1),
                unescape(fields.get(separator + 2)),
                words(fields.get(separator + 3)));
    }

    private static Set<String> words(String field) {
        return Set.copyOf(List.of(field.split(",", -1)));
    }

    /// The kernel writes blank, tab, newline, `#` and backslash as backslash and three octal
    /// digits.
    private static String unescape(String field) {
        if (field.indexOf('\\') < 0) {
            return field;
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < field.length(); i++) {
            if (field.charAt(i) == '\\' && i + 3 < field.length()) {
                text.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                text.append(field.charAt(i));
            }
        }
        return text.toString();
    }
}
