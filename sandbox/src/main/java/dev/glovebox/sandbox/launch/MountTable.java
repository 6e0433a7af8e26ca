package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.oci.OciConfig;
import dev.glovebox.sandbox.root.HostTree;
import dev.glovebox.sandbox.root.RootPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

/// Everything that must be mounted in a sandbox, and nothing else: below `/dev` and `/proc` too.
///
/// Under gVisor pid 1 sees the mounts of gVisor's kernel, with no flags but `ro`; what that kernel
/// has below `/sys`, `/dev` and `/proc` is its own affair.
///
/// What the host has mounted below a directory that is shown is shown too, with the same flags.
///
/// @param expected by target
/// @param shown directories and files of the host by target
/// @param ownKernel whether it runs under gVisor
record MountTable(Map<String, Expected> expected, Map<String, Path> shown, boolean ownKernel) {
    /// Device nodes that every sandbox has.
    static final List<String> DEVICES = List.of("full", "null", "random", "tty", "urandom", "zero");

    private static final String NULL = "/null";

    MountTable {
        expected = Map.copyOf(expected);
        shown = Map.copyOf(shown);
    }

    /// What is at one target.
    enum Kind {
        /// Files.
        FILES,
        /// `tmpfs`.
        MEMORY,
        /// `proc`, that shows only one's own processes, or a part of it.
        PROC,
        /// `devpts`.
        TERMINALS,
        /// A node of the host's `/dev`.
        DEVICE,
        /// The null device, or an empty directory, over something that nobody is to see.
        MASK
    }

    /// @param options it must have at least
    record Expected(Kind kind, Set<String> options) {}

    /// The table of a sandbox.
    ///
    /// @param mounts of the specification
    /// @param masked files and directories of `/proc` that this kernel has and nobody may see into
    /// @param readOnly directories of `/proc` that this kernel has and nobody may write to
    static MountTable of(
            RootPlan plan,
            List<Mount> mounts,
            List<String> masked,
            List<String> readOnly,
            boolean ownKernel) {
        Map<String, Expected> all = new TreeMap<>();
        Map<String, Path> shown = new TreeMap<>();
        String access = plan.writable().isPresent() ? "rw" : "ro";
        if (!ownKernel) {
            all.put("/", files(access));
            if (plan.plain()) {
                all.put("/usr", files(access));
                all.put("/etc", files(access));
                shown.put("/usr", Path.of("/usr"));
            } else if (plan.host()) {
                HostTree.partsHere().forEach(part -> all.put(part, files(access)));
            }
            all.put("/.glovebox/init", files("ro"));
            all.put("/proc", new Expected(Kind.PROC, Set.of("nosuid", "nodev", "noexec")));
            // crun keeps only "ro" of the flags of a mount below /proc; there the others say
            // nothing
            readOnly.forEach(path -> all.put(path, new Expected(Kind.PROC, Set.of("ro"))));
            masked.forEach(path -> all.put(path, new Expected(Kind.MASK, Set.of())));
            all.put("/dev", new Expected(Kind.MEMORY, Set.of("nosuid", "noexec")));
            all.put("/dev/pts", new Expected(Kind.TERMINALS, Set.of("nosuid", "noexec")));
            DEVICES.forEach(name -> all.put("/dev/" + name, new Expected(Kind.DEVICE, Set.of())));
        }
        for (String place : List.of("/tmp", "/home/agent", "/dev/shm")) {
            all.put(place, new Expected(Kind.MEMORY, Set.of("rw", "nosuid", "nodev")));
        }
        for (Mount mount : mounts) {
            all.put(mount.target(), files(mount.readOnly() ? "ro" : "rw"));
            shown.put(mount.target(), mount.source());
        }
        return new MountTable(all, shown, ownKernel);
    }

    private static Expected files(String access) {
        return new Expected(Kind.FILES, Set.of(access, "nosuid", "nodev"));
    }

    /// Directories of `/proc` that this kernel has and nobody may write to.
    static List<String> readOnlyHere() {
        return READ_ONLY;
    }

    private static final List<String> READ_ONLY =
            OciConfig.READ_ONLY.stream().filter(path -> Files.exists(Path.of(path))).toList();

    /// What is not as it must be, one line each.
    ///
    /// @param empty directories that were seen to be empty
    /// @param host where on the host something is mounted; asked for only if that matters
    List<String> mismatches(List<MountInfo> seen, Set<String> empty, Supplier<Set<String>> host) {
        List<String> found = new ArrayList<>();
        new TreeMap<>(expected)
                .forEach((target, wanted) -> {
                    Optional<MountInfo> mount = MountInfo.at(seen, target);
                    if (mount.isEmpty()) {
                        found.add("nothing is mounted at " + target);
                    } else {
                        compare(mount.get(), wanted, empty, found);
                    }
                });
        Set<String> targets = new HashSet<>();
        for (MountInfo mount : seen) {
            String target = mount.target();
            if (!targets.add(target)) {
                found.add("more than one thing is mounted at " + target);
            } else if (!expected.containsKey(target)
                    && !ofItsKernel(target)
                    && !isShown(mount, host)) {
                found.add(mount.type() + " is mounted at " + target + ", where nothing must be");
            }
        }
        return found;
    }

    /// Whether the host has something mounted at the same place below what is shown.
    private boolean isShown(MountInfo mount, Supplier<Set<String>> host) {
        Path target = Path.of(mount.target());
        return shown.entrySet().stream()
                .filter(each -> target.startsWith(each.getKey()))
                .filter(each -> {
                    Expected above = expected.getOrDefault(each.getKey(), files("ro"));
                    return mount.options().containsAll(above.options());
                })
                .map(each ->
                        real(each.getValue()).resolve(Path.of(each.getKey()).relativize(target)))
                .anyMatch(place -> host.get().contains(place.toString()));
    }

    private static Path real(Path source) {
        try {
            return source.toRealPath();
        } catch (IOException e) {
            return source;
        }
    }

    private boolean ofItsKernel(String target) {
        return ownKernel
                && (target.equals("/")
                        || List.of("/sys", "/dev", "/proc").stream()
                                .anyMatch(Path.of(target)::startsWith));
    }

    private void compare(MountInfo mount, Expected wanted, Set<String> empty, List<String> found) {
        Set<String> options = new HashSet<>(wanted.options());
        if (ownKernel) {
            options.retainAll(Set.of("ro", "rw"));
        }
        if (!mount.options().containsAll(options)) {
            found.add(
                    String.format(
                            Locale.ROOT,
                            "mount %s is %s, must be %s",
                            mount.target(),
                            mount.options(),
                            options));
        }
        if (!ownKernel && !isA(wanted.kind(), mount, empty)) {
            found.add(
                    String.format(
                            Locale.ROOT,
                            "mount %s is %s of %s, must be %s",
                            mount.target(),
                            mount.root(),
                            mount.type(),
                            wanted.kind().name().toLowerCase(Locale.ROOT)));
        }
        if (wanted.kind() == Kind.PROC && hidesNobody(mount)) {
            found.add("/proc shows processes of other users");
        }
    }

    private static boolean isA(Kind kind, MountInfo mount, Set<String> empty) {
        String name = "/" + Path.of(mount.target()).getFileName();
        return switch (kind) {
            case FILES -> !mount.type().equals("proc") && !mount.type().startsWith("cgroup");
            case MEMORY -> mount.type().equals("tmpfs");
            case PROC ->
                    mount.type().equals("proc")
                            && mount.root().equals(name.equals("/proc") ? "/" : name);
            case TERMINALS -> mount.type().equals("devpts");
            case DEVICE -> mount.root().endsWith(name);
            case MASK -> mount.root().endsWith(NULL) || empty.contains(mount.target());
        };
    }

    private static boolean hidesNobody(MountInfo mount) {
        return !mount.superOptions().contains("hidepid=invisible")
                && !mount.superOptions().contains("hidepid=2");
    }
}
