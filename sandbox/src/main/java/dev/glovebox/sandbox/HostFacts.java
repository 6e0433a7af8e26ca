package dev.glovebox.sandbox;

import dev.glovebox.sandbox.SandboxException.Band;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What sandboxes need to know of this process and machine.
final class HostFacts {
    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final long FEW_FILES = 1024;

    private static final Map<String, String> NAMESPACES = readNamespaces();
    private static final long OPEN_FILES = readOpenFilesLimit();

    private HostFacts() {}

    /// Links of the worker's namespaces by type, such as `net` to `net:[4026531840]`.
    static Map<String, String> namespaces() {
        return NAMESPACES;
    }

    private static Map<String, String> readNamespaces() {
        Map<String, String> links = new TreeMap<>();
        try (DirectoryStream<Path> types = Files.newDirectoryStream(Path.of("/proc/self/ns"))) {
            for (Path type : types) {
                links.put(type.getFileName().toString(), Files.readSymbolicLink(type).toString());
            }
            return Map.copyOf(links);
        } catch (IOException e) {
            throw new SandboxException(Band.HOST, "cannot read /proc/self/ns", e);
        }
    }

    /// The link a process in the network namespace at this path sees, `net:[inode]`.
    static String namespaceLink(Path path) {
        try {
            return "net:[" + Files.getAttribute(path, "unix:ino") + "]";
        } catch (IOException e) {
            throw new SandboxException(Band.CALLER, "no network namespace at " + path, e);
        }
    }

    /// The hard limit of open files a process, which root without `CAP_SYS_RESOURCE` cannot raise.
    static long openFilesLimit() {
        return OPEN_FILES;
    }

    private static long readOpenFilesLimit() {
        try {
            return Files.readString(LIMITS)
                    .lines()
                    .filter(line -> line.startsWith("Max open files"))
                    .map(line -> line.split("\\s+", -1)[4])
                    .findFirst()
                    .map(hard -> hard.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(hard))
                    .orElse(FEW_FILES);
        } catch (IOException e) {
            throw new SandboxException(Band.HOST, "cannot read " + LIMITS, e);
        }
    }

    /// Where a program is, by the usual directories of the system's own programs.
    static Optional<Path> program(String name) {
        return Arrays.stream("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin".split(":", -1))
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
