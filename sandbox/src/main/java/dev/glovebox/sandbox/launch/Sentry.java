package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.sandbox.oci.OciConfig;
import dev.glovebox.sandbox.root.HostTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// What the processes of gVisor are on the host, where nobody inside can see them: the kernel
/// ("sentry"), its file server ("gofer") and the processes in which it runs programs.
///
/// Each must be the sandbox's root by its ids, so nobody on the host, in namespaces that are not
/// the host's, with no way to gain privileges and with gVisor's own list of system calls in force.
/// They share the pid namespace of the host and may look at nobody there.
///
/// @param firstHostId where id 0 of the sandbox is on the host
/// @param hostNamespaces links of the worker's namespaces
/// @param network link of the network namespace the sandbox was given
/// @param writable targets of mounts that may be written, `/` among them if the root may be
public record Sentry(
        long firstHostId,
        Map<String, String> hostNamespaces,
        Optional<String> network,
        Set<String> writable) {
    private static final String FILE_SERVER = "runsc-gofer";
    private static final List<String> NAMESPACES = List.of("ipc", "mnt", "net", "user", "uts");

    /// What is not as it must be, one line each.
    ///
    /// @param pids all processes of the sandbox on the host
    public List<String> mismatches(Set<Integer> pids) {
        List<String> found = new ArrayList<>();
        boolean joined = network.isEmpty();
        boolean served = false;
        if (pids.size() < 2) {
            found.add("gVisor has " + pids.size() + " processes, must be 2 or more");
        }
        for (int pid : pids) {
            Path proc = Path.of("/proc/" + pid);
            try {
                process(pid, proc, found);
                served |= files(proc, found);
                joined |= network.filter(link(proc, "net")::equals).isPresent();
            } catch (IOException e) {
                if (Files.exists(proc)) {
                    found.add("process " + pid + " cannot be looked at: " + e.getMessage());
                }
            }
        }
        if (!joined) {
            found.add("no process of gVisor is in the network namespace " + network.orElse(""));
        }
        if (!served) {
            found.add("gVisor has no file server");
        }
        return found;
    }

    /// Whether this process is the file server, whose mounts are then looked at.
    private boolean files(Path proc, List<String> found) throws IOException {
        if (!Files.readString(proc.resolve("cmdline")).startsWith(FILE_SERVER)) {
            return false;
        }
        for (MountInfo mount : MountInfo.parse(Files.readString(proc.resolve("mountinfo")))) {
            boolean asMayBe =
                    mount.options().containsAll(Set.of("nosuid", "nodev"))
                            && (mount.options().contains("ro") || mayWrite(mount.target()));
            if (!asMayBe) {
                found.add("gVisor's mount " + mount.target() + " is " + mount.options());
            }
        }
        return true;
    }

    /// With a root that can be written, so are its parts.
    private boolean mayWrite(String target) {
        return writable.contains(target)
                || (writable.contains("/") && HostTree.PARTS.contains(target));
    }

    private void process(int pid, Path proc, List<String> found) throws IOException {
        Map<String, String> status = new TreeMap<>();
        for (String line : Files.readAllLines(proc.resolve("status"))) {
            String[] words = line.split(":\\s*", 2);
            status.put(words[0], words.length > 1 ? words[1].strip().replace('\t', ' ') : "");
        }
        if (status.getOrDefault("State", "").startsWith("Z")) {
            return;
        }
        String ids = String.format(Locale.ROOT, "%1$d %1$d %1$d %1$d", firstHostId);
        Map<String, String> wanted =
                Map.of("Uid", ids, "Gid", ids, "NoNewPrivs", "1", "Seccomp", "2", "CapAmb", NONE);
        wanted.forEach((key, value) -> {
            String is = status.getOrDefault(key, "");
            if (!is.equals(value)) {
                found.add(
                        String.format(
                                Locale.ROOT,
                                "gVisor's process %d: %s is '%s', must be %s",
                                pid,
                                key,
                                is,
                                value));
            }
        });
        String score = Files.readString(proc.resolve("oom_score_adj")).strip();
        if (isNamed(proc) && !score.equals(String.valueOf(OciConfig.OOM_SCORE))) {
            found.add("gVisor's process " + pid + " has oom_score_adj " + score);
        }
        for (String type : NAMESPACES) {
            if (link(proc, type).equals(hostNamespaces.get(type))) {
                found.add("gVisor's process " + pid + " is in the host's namespace " + type);
            }
        }
    }

    /// The kernel and the file server; what runs programs for them has no name.
    private static boolean isNamed(Path proc) throws IOException {
        return Files.readString(proc.resolve("cmdline")).startsWith("runsc-");
    }

    private static final String NONE = "0000000000000000";

    private static String link(Path proc, String type) throws IOException {
        return Files.readSymbolicLink(proc.resolve("ns").resolve(type)).toString();
    }
}
