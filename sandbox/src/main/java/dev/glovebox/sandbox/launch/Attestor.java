package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.sandbox.oci.OciConfig;
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
/// @param mounts all there must be
/// @param expected by profile, runtime and limits
record Attestor(
        Map<String, String> hostNamespaces,
        Optional<String> network,
        MountTable mounts,
        Expected expected) {
    private static final List<String> NAMESPACES =
            List.of("cgroup", "ipc", "mnt", "net", "pid", "user", "uts");
    private static final List<String> NO_CAPABILITIES = List.of("CapInh", "CapAmb");
    private static final List<String> CAPABILITIES = List.of("CapPrm", "CapEff", "CapBnd");
    private static final String DEVICES = "dev/";

    /// What must be in `/dev`, as pid 1 says it: nodes with their numbers, directories, links.
    private static final Map<String, String> NEEDED =
            Map.of(
                    "full", "c 1:7",
                    "null", "c 1:3",
                    "random", "c 1:8",
                    "tty", "c 5:0",
                    "urandom", "c 1:9",
                    "zero", "c 1:5",
                    "pts", "d",
                    "shm", "d",
                    "ptmx", "l");

    /// Links that runtimes put there, or do not.
    private static final Set<String> LINKS = Set.of("core", "fd", "stdin", "stdout", "stderr");

    /// What must be so.
    ///
    /// @param privileges of pid 1
    /// @param filtered whether a list of system calls is in force
    /// @param firstHostId where id 0 of the sandbox is on the host
    /// @param limits of each process, as pid 1 says them ([ProcessLimits])
    /// @param ownKernel whether it runs under gVisor
    record Expected(
            Privileges privileges,
            boolean filtered,
            long firstHostId,
            Map<String, String> limits,
            boolean ownKernel) {}

    /// What is seen from inside.
    ///
    /// @param state what pid 1 says of itself, see [dev.glovebox.sandbox.guest.Guest#hello]
    /// @param mounts all of them
    /// @param interfaces `/proc/net/dev`
    /// @param version `/proc/version`
    /// @param empty directories that are
    record Seen(
            Map<String, String> state,
            List<MountInfo> mounts,
            String interfaces,
            String version,
            Set<String> empty) {
        Seen {
            state = Map.copyOf(state);
            mounts = List.copyOf(mounts);
            empty = Set.copyOf(empty);
        }
    }

    /// What is not as it must be, one line each; empty if all is well.
    List<String> mismatches(Seen seen) {
        List<String> found = new ArrayList<>();
        process(seen.state(), found);
        expected.limits().forEach((key, value) -> expect(seen.state(), key, value, found));
        devices(seen.state(), found);
        if (expected.ownKernel()) {
            kernel(seen.version(), found);
        } else {
            namespaces(seen.state(), found);
            ids(seen.state(), found);
        }
        network(seen.interfaces(), found);
        found.addAll(mounts.mismatches(seen.mounts(), seen.empty(), HostFacts::mountPoints));
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

    /// Nobody on the host: exactly the sandbox's own block.
    private void ids(Map<String, String> state, List<String> found) {
        String block = "0 " + expected.firstHostId() + " " + OciConfig.IDS;
        expect(state, "uid_map", block, found);
        expect(state, "gid_map", block, found);
        expect(state, "oom_score_adj", String.valueOf(OciConfig.OOM_SCORE), found);
    }

    /// gVisor's kernel has its own devices, whatever the host has.
    private void devices(Map<String, String> state, List<String> found) {
        NEEDED.forEach((name, what) -> expect(state, DEVICES + name, what, found));
        state.forEach((key, what) -> {
            String name = key.startsWith(DEVICES) ? key.substring(DEVICES.length()) : "null";
            boolean known = NEEDED.containsKey(name) || (LINKS.contains(name) && what.equals("l"));
            if (!known && !expected.ownKernel()) {
                found.add("/dev has " + name + " (" + what + "), which must not be there");
            }
        });
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
