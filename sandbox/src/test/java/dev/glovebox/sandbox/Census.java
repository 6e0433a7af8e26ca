package dev.glovebox.sandbox;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// All that there is on the host of the sandboxes of one state directory: what a worker leaves, it
/// leaves in one of these.
///
/// @param processes that live in its control groups, or with the directory in their command line:
///   sandboxes, runtimes, what dials
/// @param groups control groups, in every hierarchy
/// @param mounts of the host that lie in the directories
/// @param files and directories in them, but locks, which stay, and what is in `base`
record Census(Set<Integer> processes, Set<String> groups, List<String> mounts, Set<String> files) {

    /// Counts.
    ///
    /// @param state the state directory
    /// @param more directories in which something of the sandboxes is, such as pins of namespaces
    static Census of(Path state, Path... more) throws IOException {
        String group = StateDirectory.groupPath(state.toRealPath());
        Set<String> groups = new TreeSet<>();
        for (Path hierarchy : list(Path.of("/sys/fs/cgroup"))) {
            walk(hierarchy.resolve(group.substring(1)), groups);
        }
        Set<String> files = new TreeSet<>();
        List<String> mounts = Files.readAllLines(Path.of("/proc/self/mountinfo"));
        walk(state, files);
        for (Path each : more) {
            walk(each, files);
        }
        return new Census(
                processes(group, state),
                groups.stream()
                        .filter(path -> Files.isDirectory(Path.of(path)))
                        .collect(Collectors.toCollection(TreeSet::new)),
                mounts.stream().filter(line -> isOurs(line, state, more)).toList(),
                files);
    }

    private static boolean isOurs(String mount, Path state, Path... more) {
        String target = mount.split(" ", 6)[4];
        boolean ours = Path.of(target).startsWith(state);
        for (Path each : more) {
            ours |= Path.of(target).startsWith(each);
        }
        return ours;
    }

    private static Set<Integer> processes(String group, Path state) throws IOException {
        Set<Integer> found = new TreeSet<>();
        for (Path process : list(Path.of("/proc"))) {
            String name = process.getFileName().toString();
            if (name.matches("\\d+")
                    && !name.equals("" + ProcessHandle.current().pid())
                    && Ground.lives(Integer.parseInt(name))
                    && (text(process.resolve("cgroup")).contains(group)
                            || text(process.resolve("cmdline")).contains(state.toString()))) {
                found.add(Integer.valueOf(name));
            }
        }
        return found;
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
            return ""; // the process has ended meanwhile
        }
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
                        return directory.endsWith("base")
                                ? FileVisitResult.SKIP_SUBTREE
                                : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        if (!file.endsWith("lock")) {
                            found.add(file.toString());
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException gone) {
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
