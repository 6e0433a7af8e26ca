package dev.glovebox.sandbox.oci;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What one sandbox asks of an OCI runtime.
///
/// @param root the assembled root directory
/// @param writableRoot whether the runtime is to leave the root as it is; else it makes it
///   read-only once more. gVisor cannot, where the flags of the mount are locked
/// @param privileges of pid 1
/// @param firstHostId where id 0 of the sandbox is on the host; 65,536 ids follow
/// @param ownKernel whether the runtime is a kernel itself (gVisor). It is then started in the
///   sandbox's user namespace and network namespace instead of making or joining them, and has the
///   mounts of `submounts` made by its own kernel
/// @param networkNamespace a ready one to join, empty = a new one without any interface but `lo`
/// @param submounts below the root, for a runtime that is a kernel
/// @param resources what it may use
public record OciSpec(
        Path root,
        boolean writableRoot,
        Privileges privileges,
        long firstHostId,
        boolean ownKernel,
        Optional<Path> networkNamespace,
        List<Submount> submounts,
        Resources resources) {
    public OciSpec {
        submounts = List.copyOf(submounts);
    }

    /// A mount that a runtime with a kernel of its own makes.
    ///
    /// @param target absolute path inside
    /// @param type `tmpfs` or `bind`
    /// @param source what is bound; for others the type again
    public record Submount(String target, String type, String source, List<String> options) {
        public Submount {
            options = List.copyOf(options);
        }
    }

    /// What a sandbox may use.
    ///
    /// @param cgroup path of its control group
    /// @param memoryBytes most memory, swap included
    /// @param cpus processors' worth of time
    /// @param pids most processes and threads
    /// @param shmBytes size of `/dev/shm`
    /// @param processLimits hard limits of each process by their names in `getrlimit(2)`
    /// @param settings of its own namespaces, by their names in `sysctl(8)`
    public record Resources(
            String cgroup,
            long memoryBytes,
            double cpus,
            int pids,
            long shmBytes,
            Map<String, Long> processLimits,
            Map<String, String> settings) {
        public Resources {
            processLimits = Map.copyOf(processLimits);
            settings = Map.copyOf(settings);
        }
    }
}
