package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.MountInfo;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.oci.Privileges;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Compares what a sandbox is with what it must be.
///
/// It looks at the effective state only, never at the configuration, since runtimes were seen to
/// drop parts of it silently. Anything not confirmed is a mismatch, also if it cannot be read.
///
/// Under gVisor pid 1 sees gVisor's kernel: it has no links of the host's namespaces and no flags
/// of mounts but `ro` to show. There the kernel must be another than the host's, and what holds the
/// processes of gVisor itself on the host is looked at from outside ([Sentry]).
///
/// @param hostNamespaces links of `/proc/self/ns` of the worker, by type, such as `net`
/// @param network link of the network namespace the sandbox was given, empty if it has its own
/// @param mounts that were asked for
/// @param masked files and directories of `/proc` that this kernel has and nobody may see into
/// @param expected by profile and runtime
public record Attestor(
        Map<String, String> hostNamespaces,
        Optional<String> network,
        List<Mount> mounts,
        List<String> masked,
        Expected expected) {
    private static final List<String> NAMESPACES =
            List.of("cgroup", "ipc", "mnt", "net", "pid", "user", "uts");
    private static final List<String> NO_CAPABILITIES = List.of("CapInh", "CapAmb");
    private static final List<String> CAPABILITIES = List.of("CapPrm", "CapEff", "CapBnd");
    private static final List<String> WRITABLE = List.of("/tmp", "/home/agent", "/dev/shm");

    /// What must be so.
    ///
    /// @param privileges of pid 1
    /// @param filtered whether a list of system calls is in force
    /// @param hostPrograms whether `/usr` and `/etc` are mounts of their own
    /// @param writableRoot whether the root can be written
    /// @param ownKernel whether it runs under gVisor
    public record Expected(
            Privileges privileges,
            boolean filtered,
            boolean hostPrograms,
            boolean writableRoot,
            boolean ownKernel) {
        /// Mounts that make up the root, as far as pid 1 can see what they are.
        private List<String> root() {
            if (ownKernel) {
                return List.of();
            }
            return hostPrograms ? List.of("/", "/usr", "/etc") : List.of("/");
        }
    }

    /// What is seen from inside.
    ///
    /// @param state what pid 1 says of itself, see [dev.glovebox.sandbox.guest.Guest#hello]
    /// @param mounts all of them
    /// @param interfaces `/proc/net/dev`
    /// @param version `/proc/version`
    public record Seen(
            Map<String, String> state, List<MountInfo> mounts, String interfaces, String version) {
        public Seen {
            state = Map.copyOf(state);
            mounts = List.copyOf(mounts);
        }
    }

    /// What is not as it must be, one line each; empty if all is well.
    public List<String> mismatches(Seen seen) {
        List<String> found = new ArrayList<>();
        process(seen.state(), found);
        if (expected.ownKernel()) {
            kernel(seen.version(), found);
        } else {
            namespaces(seen.state(), found);
        }
        network(seen.interfaces(), found);
        mounts(seen.mounts(), found);
        return found;
    }

    private void process(Map<String, String> state, List<String> found) {
        int id = expected.privileges().id();
        String ids = String.format(Locale.ROOT, "%d %d %d %d", id, id, id, id);
        expect(state, "pid", "1", found);
        expect(state, "dumpable", "0", found);
        expect(state, "Uid", ids, found);
        expect(state, "Gid", ids, found);
        expect(state, expected.ownKernel() ? "no_new_privs" : "NoNewPrivs", "1", found);
        expect(state, "Seccomp", expected.filtered() ? "2" : "0", found);
        for (String set : NO_CAPABILITIES) {
            if (!expected.ownKernel() || state.containsKey(set)) {
                expect(state, set, "0000000000000000", found);
            }
        }
        String mask = String.format(Locale.ROOT, "%016x", expected.privileges().mask());
        CAPABILITIES.forEach(set -> expect(state, set, mask, found));
        String groups = words(state.getOrDefault("Groups", "?"));
        if (!Set.of("", String.valueOf(id)).contains(groups)) {
            found.add("Groups is '" + groups + "', must be empty or " + id);
        }
    }

    private static void kernel(String version, List<String> found) {
        if (version.isBlank() || version.equals(HostFacts.kernelVersion())) {
            found.add("the kernel inside is the host's: '" + version.strip() + "'");
        }
    }

    /// Where no network was given there must be none. What is in a given one is its owner's to say.
    private void network(String interfaces, List<String> found) {
        List<String> names =
                interfaces
                        .lines()
                        .skip(2)
                        .map(line -> line.split(":", -1)[0].strip())
                        .filter(name -> !name.isEmpty())
                        .toList();
        if (interfaces.lines().count() < 2) {
            found.add("the network interfaces cannot be read");
        } else if (network.isEmpty() && !Set.of("lo").containsAll(names)) {
            found.add("network interfaces are " + names + ", must be none but lo");
        }
    }

    private void namespaces(Map<String, String> state, List<String> found) {
        for (String type : NAMESPACES) {
            String inside = state.getOrDefault("ns/" + type, "");
            String host = hostNamespaces.getOrDefault(type, "");
            if (inside.isEmpty() || host.isEmpty() || inside.equals(host)) {
                found.add("namespace " + type + " is '" + inside + "', the host's is " + host);
            }
        }
        network.filter(given -> !given.equals(state.get("ns/net")))
                .ifPresent(given ->
                        found.add(
                                "network namespace is "
                                        + state.get("ns/net")
                                        + ", the one given is "
                                        + given));
    }

    private void mounts(List<MountInfo> seen, List<String> found) {
        String access = expected.writableRoot() ? "rw" : "ro";
        for (String target : expected.root()) {
            options(seen, target, found, access);
        }
        WRITABLE.forEach(target -> options(seen, target, found, "rw"));
        for (Mount mount : mounts) {
            options(seen, mount.target(), found, mount.readOnly() ? "ro" : "rw");
        }
        if (!expected.ownKernel()) {
            options(seen, "/.glovebox/init", found, "ro");
            kernelFiles(seen, found);
            seen.forEach(mount -> everyMount(mount, found));
        }
    }

    private void kernelFiles(List<MountInfo> seen, List<String> found) {
        masked.forEach(path -> require(seen, path, found, List.of()));
        // crun keeps only "ro" of the flags of a mount below /proc; there the others say nothing.
        require(seen, "/proc/sys", found, List.of("ro"));
        require(seen, "/proc", found, List.of("nosuid", "nodev", "noexec"));
        boolean hidden =
                MountInfo.at(seen, "/proc")
                        .map(MountInfo::superOptions)
                        .filter(o -> o.contains("hidepid=invisible") || o.contains("hidepid=2"))
                        .isPresent();
        if (!hidden) {
            found.add("/proc shows processes of other users");
        }
    }

    private static void everyMount(MountInfo mount, List<String> found) {
        String target = mount.target();
        if (target.startsWith("/sys") || mount.type().startsWith("cgroup")) {
            found.add(mount.type() + " is mounted at " + target);
        }
        boolean ofRuntime = target.startsWith("/dev") || target.startsWith("/proc/");
        if (!ofRuntime && !mount.options().containsAll(Set.of("nosuid", "nodev"))) {
            found.add("mount " + target + " is " + mount.options() + ", must be nosuid,nodev");
        }
    }

    private void options(List<MountInfo> seen, String target, List<String> found, String access) {
        require(
                seen,
                target,
                found,
                expected.ownKernel() ? List.of(access) : List.of(access, "nosuid", "nodev"));
    }

    private static void require(
            List<MountInfo> seen, String target, List<String> found, List<String> wanted) {
        Optional<MountInfo> mount = MountInfo.at(seen, target);
        if (mount.isEmpty()) {
            found.add("nothing is mounted at " + target);
        } else if (!mount.get().options().containsAll(wanted)) {
            found.add(
                    String.format(
                            Locale.ROOT,
                            "mount %s is %s, must be %s",
                            target,
                            mount.get().options(),
                            wanted));
        }
    }

    private static void expect(
            Map<String, String> state, String key, String wanted, List<String> found) {
        String value = words(state.getOrDefault(key, ""));
        if (!value.equals(wanted)) {
            found.add(key + " is '" + value + "', must be " + wanted);
        }
    }

    private static String words(String text) {
        return text.strip().replaceAll("\\s+", " ");
    }
}
