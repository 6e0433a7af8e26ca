package dev.glovebox.sandbox.oci;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What one sandbox asks of an OCI runtime.
///
/// @param root the assembled root directory, already read-only
/// @param arguments the program that becomes pid 1, an absolute path inside, and its arguments
/// @param environment of pid 1
/// @param hostname inside
/// @param firstHostId where id 0 of the sandbox is on the host; 65,536 ids follow
/// @param userNamespaces whether the runtime is to make a user namespace of these ids (gVisor has
///   its own)
/// @param networkNamespace a ready one to join, empty = a new one without any interface but `lo`
/// @param resources what it may use
public record OciSpec(
        Path root,
        List<String> arguments,
        Map<String, String> environment,
        String hostname,
        long firstHostId,
        boolean userNamespaces,
        Optional<Path> networkNamespace,
        Resources resources) {
    public OciSpec {
        arguments = List.copyOf(arguments);
        environment = Map.copyOf(environment);
    }

    /// What a sandbox may use.
    ///
    /// @param cgroup path of its control group
    /// @param memoryBytes most memory, swap included
    /// @param cpus processors' worth of time
    /// @param pids most processes and threads
    /// @param shmBytes size of `/dev/shm`
    /// @param processLimits hard limits of each process by their names in `getrlimit(2)`
    public record Resources(
            String cgroup,
            long memoryBytes,
            double cpus,
            int pids,
            long shmBytes,
            Map<String, Long> processLimits) {
        public Resources {
            processLimits = Map.copyOf(processLimits);
        }
    }
}
