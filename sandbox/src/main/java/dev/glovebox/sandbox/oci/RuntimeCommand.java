package dev.glovebox.sandbox.oci;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The command that starts one sandbox: our init, which connects its standard input to the worker
/// and then becomes the OCI runtime, which hands that connection on to pid 1 inside.
///
/// @param init path of glovebox-init on the host
/// @param socket where the worker listens for this sandbox alone
/// @param program path of the runtime
/// @param stateRoot where the runtime keeps its records
/// @param log file the runtime writes errors to
/// @param bundle directory with `config.json`
/// @param id of the container
/// @param ownGroup whether the process is born in its control group, so that the runtime (crun
///   only) is to leave control groups alone
public record RuntimeCommand(
        Path init,
        Path socket,
        Path program,
        Path stateRoot,
        Path log,
        Path bundle,
        String id,
        boolean ownGroup) {
    /// The words of the command line.
    ///
    /// `--detach` lets the connection through as it is and leaves no process of the runtime behind;
    /// without it runc puts pipes in between.
    public List<String> words() {
        List<String> words = new ArrayList<>();
        words.addAll(List.of(init.toString(), "--dial", socket.toString(), "--"));
        words.addAll(List.of(program.toString(), "--root", stateRoot.toString()));
        words.addAll(List.of("--log", log.toString()));
        if (ownGroup) {
            words.add("--cgroup-manager=disabled");
        }
        words.addAll(List.of("run", "--detach", "--bundle", bundle.toString(), id));
        return List.copyOf(words);
    }
}
