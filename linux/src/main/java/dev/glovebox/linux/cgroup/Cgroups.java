package dev.glovebox.linux.cgroup;

import dev.glovebox.linux.mount.MountInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The control group hierarchies of this host: one (`cgroups(7)`, version 2) or one a controller
/// (version 1, with or without an extra version 2 tree beside them: hybrid).
///
/// A group is named by its path from the top, such as `/glovebox/ab12/s1`. On version 1 that is a
/// directory in each hierarchy, and the name stands for all of them.
public final class Cgroups {
    private final List<Hierarchy> hierarchies;

    private Cgroups(List<Hierarchy> hierarchies) {
        this.hierarchies = List.copyOf(hierarchies);
    }

    /// @param directory where it is mounted
    /// @param controllers those it carries by mount option; empty for version 2
    /// @param unified whether it is the version 2 tree
    record Hierarchy(Path directory, List<String> controllers, boolean unified) {
        Hierarchy {
            controllers = List.copyOf(controllers);
        }
    }

    private static final List<String> CONTROLLERS = List.of("memory", "cpu", "pids", "freezer");

    /// Looks at the mounts of this process.
    public static Cgroups detect() {
        try {
            return of(MountInfo.parse(Files.readString(Path.of("/proc/self/mountinfo"))));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the mounts of this process", e);
        }
    }

    /// Looks at the mounts of a host.
    public static Cgroups of(List<MountInfo> mounts) {
        List<Hierarchy> found = new ArrayList<>();
        for (MountInfo mount : mounts) {
            if (mount.type().equals("cgroup2")) {
                found.add(new Hierarchy(Path.of(mount.target()), List.of(), true));
            } else if (mount.type().equals("cgroup")) {
                List<String> controllers =
                        mount.superOptions().stream().filter(o -> !o.equals("rw")).toList();
                found.add(new Hierarchy(Path.of(mount.target()), controllers, false));
            }
        }
        return new Cgroups(found);
    }

    /// Whether this host has control groups at all.
    public boolean present() {
        return !hierarchies.isEmpty();
    }

    /// Whether limits are set by version 1 hierarchies.
    public boolean legacy() {
        return hierarchies.stream().anyMatch(h -> !h.unified());
    }

    /// Where a version 2 tree is mounted beside version 1 hierarchies; crun below 1.9 or so refuses
    /// to run while it sees that.
    public Optional<Path> hybridTree() {
        return hierarchies.stream()
                .filter(h -> h.unified() && legacy())
                .map(Hierarchy::directory)
                .findFirst();
    }

    /// Controllers that limits need (memory, cpu, pids) and this host does not offer.
    public List<String> missingControllers() {
        List<String> offered = legacy() ? legacyControllers() : unifiedControllers();
        return CONTROLLERS.subList(0, 3).stream().filter(c -> !offered.contains(c)).toList();
    }

    /// The group with this path, whether or not it exists.
    public Cgroup group(String path) {
        if (!path.startsWith("/") || path.contains("/../") || path.endsWith("/..")) {
            throw new IllegalArgumentException("cgroup path must be absolute: " + path);
        }
        return new Cgroup(path, hierarchies);
    }

    private List<String> legacyControllers() {
        return hierarchies.stream().flatMap(h -> h.controllers().stream()).toList();
    }

    private List<String> unifiedControllers() {
        List<String> controllers = new ArrayList<>();
        for (Hierarchy hierarchy : hierarchies) {
            Path file = hierarchy.directory().resolve("cgroup.controllers");
            try {
                controllers.addAll(List.of(Files.readString(file).strip().split(" ", -1)));
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + file, e);
            }
        }
        return controllers;
    }
}
