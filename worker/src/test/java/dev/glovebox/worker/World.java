package dev.glovebox.worker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// All that there is on the host of one worker, or of one state directory of a worker: whatever it
/// leaves, it leaves in one of these.
///
/// @param processes that are in its control groups, or have its directory in their command line;
///   never this process
/// @param groups control groups, in every hierarchy
/// @param mounts on the host in its directory, doors' network namespaces among them
/// @param devices loop devices over files of its directory
/// @param sockets of the kernel's table that have a name in its directory
/// @param files and directories in it, but for what a worker keeps on purpose: locks, the base that
///   is made at each start, the audit log, whole layers, and the empty disk that others are copied
///   from
public record World(
        Set<Integer> processes,
        Set<String> groups,
        List<String> mounts,
        Set<String> devices,
        Set<String> sockets,
        Set<String> files) {

    /// Counts.
    ///
    /// @param directory of the worker
    /// @param sandboxes the state directory of its sandboxes, in it
    public static World of(Path directory, Path sandboxes) {
        try {
            Path top = directory.toRealPath();
            String group = "/glovebox/" + digest(sandboxes.toRealPath());
            return new World(
                    processes(group, top),
                    groups(group),
                    mounts(top),
                    devices(top),
                    sockets(top),
                    files(top));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What is in one of the two and not in the other, in words.
    public List<String> beside(World other) {
        List<String> found = new ArrayList<>();
        compare("process", processes, other.processes, found);
        compare("group", groups, other.groups, found);
        compare("mount", mounts, other.mounts, found);
        compare("device", devices, other.devices, found);
        compare("socket", sockets, other.sockets, found);
        compare("file", files, other.files, found);
        return found;
    }

    private static void compare(
            String what, Collection<?> here, Collection<?> there, List<String> found) {
        here.stream().filter(e -> !there.contains(e)).forEach(e -> found.add(what + " " + e));
        there.stream()
                .filter(e -> !here.contains(e))
                .forEach(e -> found.add("no " + what + " " + e));
    }

    /// Network and mount namespaces, but this process's own, that its processes are in or that are
    /// pinned in its directory.
    public Set<String> namespaces() {
        Set<String> found = new TreeSet<>();
        processes.forEach(pid -> joined(Path.of("/proc/" + pid), found));
        pinned().filter(pin -> mounts.contains(pin.getValue()))
                .forEach(pin -> found.add(pin.getKey()));
        return others(found);
    }

    /// Network and mount namespaces, but this process's own, that any process of the host is in or
    /// holds open, or that are pinned anywhere.
    public static Set<String> namespacesHeld() {
        Set<String> found = new TreeSet<>();
        try {
            for (Path process : list(Path.of("/proc"))) {
                if (process.getFileName().toString().matches("\\d+")) {
                    joined(process, found);
                    held(process, found);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        pinned().forEach(pin -> found.add(pin.getKey()));
        return others(found);
    }

    private static void joined(Path process, Set<String> found) {
        for (String kind : List.of("net", "mnt")) {
            link(process.resolve("ns").resolve(kind)).ifPresent(found::add);
        }
    }

    private static void held(Path process, Set<String> found) {
        try {
            for (Path open : list(process.resolve("fd"))) {
                link(open).filter(to -> to.matches("(net|mnt):\\[.*")).ifPresent(found::add);
            }
        } catch (IOException _) {
            return; // it has ended meanwhile
        }
    }

    private static Set<String> others(Set<String> namespaces) {
        Set<String> own = new TreeSet<>();
        joined(Path.of("/proc/self"), own);
        namespaces.removeAll(own);
        return namespaces;
    }

    /// Namespaces that are mounted on the host, and where.
    private static Stream<Map.Entry<String, String>> pinned() {
        try {
            return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                    .map(line -> line.split(" ", 6))
                    .filter(words -> words[3].matches("(net|mnt):\\[.*"))
                    .map(words -> Map.entry(words[3], words[4]));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<String> link(Path path) {
        try {
            return Optional.of(Files.readSymbolicLink(path).toString());
        } catch (IOException _) {
            return Optional.empty(); // it has ended meanwhile, or is closed
        }
    }

    /// Of the processes, those in the control groups.
    public static Set<Integer> inside(Path sandboxes) {
        try {
            return processes("/glovebox/" + digest(sandboxes.toRealPath()), Path.of("/no/such"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Set<Integer> processes(String group, Path top) throws IOException {
        Set<Integer> found = new TreeSet<>();
        for (Path process : list(Path.of("/proc"))) {
            String name = process.getFileName().toString();
            if (name.matches("\\d+")
                    && !name.equals("" + ProcessHandle.current().pid())
                    && !text(process.resolve("stat")).matches("(?s).*\\) [ZX] .*")
                    && (text(process.resolve("cgroup")).contains(group)
                            || text(process.resolve("cmdline")).contains(top.toString()))) {
                found.add(Integer.valueOf(name));
            }
        }
        return found;
    }

    private static Set<String> groups(String group) throws IOException {
        Set<String> found = new TreeSet<>();
        Path top = Path.of("/sys/fs/cgroup");
        List<Path> hierarchies =
                Files.exists(top.resolve("cgroup.controllers")) ? List.of(top) : list(top);
        for (Path hierarchy : hierarchies) {
            walk(hierarchy.resolve(group.substring(1)), found);
        }
        return found.stream()
                .filter(path -> Files.isDirectory(Path.of(path)))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<String> mounts(Path top) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .map(line -> line.split(" ", 6)[4])
                .filter(target -> Path.of(target).startsWith(top))
                .sorted()
                .toList();
    }

    private static Set<String> devices(Path top) throws IOException {
        Set<String> found = new TreeSet<>();
        for (Path device : list(Path.of("/sys/block"))) {
            String file = text(device.resolve("loop/backing_file")).strip();
            if (!file.isEmpty() && Path.of(file).startsWith(top)) {
                found.add(file);
            }
        }
        return found;
    }

    private static Set<String> sockets(Path top) throws IOException {
        return Files.readAllLines(Path.of("/proc/net/unix")).stream()
                .map(line -> line.replaceFirst(".* ", ""))
                .filter(name -> name.startsWith(top.toString()))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> files(Path top) throws IOException {
        Set<String> found = new TreeSet<>();
        walk(top, found);
        found.removeIf(World::stays);
        return found;
    }

    private static boolean stays(String file) {
        return file.matches(
                ".*(/lock|/images/(locks|layers)/.*|/audit/.*|/ws/\\.disks/\\.template-[^/]*)");
    }

    private static void walk(Path top, Set<String> found) throws IOException {
        if (!Files.isDirectory(top)) {
            return;
        }
        Files.walkFileTree(
                top,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(
                            Path directory, BasicFileAttributes attributes) {
                        found.add(directory.toString());
                        return directory.endsWith("base") || directory.endsWith("mount")
                                ? FileVisitResult.SKIP_SUBTREE
                                : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        found.add(file.toString());
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException gone) {
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    private static List<Path> list(Path directory) throws IOException {
        try (var entries = Files.list(directory)) {
            return entries.toList();
        }
    }

    private static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return ""; // it has ended meanwhile, or is no such device
        }
    }

    /// As `StateDirectory` of room sandbox names the control group of a state directory.
    private static String digest(Path path) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("SHA-256")
                            .digest(path.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(Arrays.copyOf(hash, 8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
