package dev.glovebox.sandbox;

import dev.glovebox.linux.MountInfo;
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
/// @param hostNamespaces links of `/proc/self/ns` of the worker, by type, such as `net`
/// @param network link of the network namespace the sandbox was given, empty if it has its own
/// @param mounts that were asked for
record Attestor(Map<String, String> hostNamespaces, Optional<String> network, List<Mount> mounts) {
    private static final List<String> NAMESPACES =
            List.of("cgroup", "ipc", "mnt", "net", "pid", "user", "uts");
    private static final List<String> CAPABILITY_SETS =
            List.of("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb");
    private static final List<String> READ_ONLY = List.of("/", "/usr", "/etc", "/.glovebox/init");
    private static final List<String> WRITABLE = List.of("/tmp", "/home/agent", "/dev/shm");
    private static final String AGENT_IDS = "1000 1000 1000 1000";

    /// What is not as it must be, one line each; empty if all is well.
    ///
    /// @param state what pid 1 says of itself, see [dev.glovebox.sandbox.guest.Guest#hello]
    /// @param seen all mounts inside
    List<String> mismatches(Map<String, String> state, List<MountInfo> seen) {
        List<String> found = new ArrayList<>();
        process(state, found);
        namespaces(state, found);
        mounts(seen, found);
        return found;
    }

    private static void process(Map<String, String> state, List<String> found) {
        expect(state, "pid", "1", found);
        expect(state, "dumpable", "0", found);
        expect(state, "Uid", AGENT_IDS, found);
        expect(state, "Gid", AGENT_IDS, found);
        expect(state, "NoNewPrivs", "1", found);
        expect(state, "Seccomp", "2", found);
        for (String set : CAPABILITY_SETS) {
            expect(state, set, "0000000000000000", found);
        }
        String groups = words(state.getOrDefault("Groups", "?"));
        if (!Set.of("", "1000").contains(groups)) {
            found.add("Groups is '" + groups + "', must be empty or 1000");
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
        READ_ONLY.forEach(target -> options(seen, target, found, "ro", "nosuid", "nodev"));
        WRITABLE.forEach(target -> options(seen, target, found, "rw", "nosuid", "nodev"));
        for (Mount mount : mounts) {
            String access = mount.readOnly() ? "ro" : "rw";
            options(seen, mount.target(), found, access, "nosuid", "nodev");
        }
        // crun keeps only "ro" of the flags of a mount below /proc; there the others say nothing.
        options(seen, "/proc/sys", found, "ro");
        options(seen, "/proc", found, "nosuid", "nodev", "noexec");
        boolean hidden =
                MountInfo.at(seen, "/proc")
                        .map(MountInfo::superOptions)
                        .filter(o -> o.contains("hidepid=invisible") || o.contains("hidepid=2"))
                        .isPresent();
        if (!hidden) {
            found.add("/proc shows processes of other users");
        }
        for (MountInfo mount : seen) {
            everyMount(mount, found);
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

    private static void options(
            List<MountInfo> seen, String target, List<String> found, String... wanted) {
        Optional<MountInfo> mount = MountInfo.at(seen, target);
        if (mount.isEmpty()) {
            found.add("nothing is mounted at " + target);
        } else if (!mount.get().options().containsAll(List.of(wanted))) {
            found.add(
                    String.format(
                            Locale.ROOT,
                            "mount %s is %s, must be %s",
                            target,
                            mount.get().options(),
                            List.of(wanted)));
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
