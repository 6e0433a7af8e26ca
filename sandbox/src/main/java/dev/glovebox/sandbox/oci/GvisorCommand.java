package dev.glovebox.sandbox.oci;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The command that starts one sandbox under gVisor.
///
/// `runsc` makes no user namespace for its processes in the mode that uses the network of its
/// namespace, so it is started in one: `nsenter(1)` joins the network namespace and then the
/// sandbox's user namespace, `unshare(1)` makes a mount namespace that belongs to that, and from
/// then on gVisor's kernel and its file server are nobody on the host, with the sandbox's own block
/// of ids. They keep their records in memory that ends with that mount namespace.
///
/// It is never in the network namespace of the host, not even for a moment: runsc listens for its
/// own commands on an abstract socket (`@runsc-sandbox.NAME`), which everybody in the namespace of
/// the one who started it could connect to.
///
/// The flags are a list of permission: nothing that opens files of the host (`--overlay2`, logs,
/// profiles), no sockets or pipes of the host, no raw sockets, no flags by annotation.
///
/// @param init path of glovebox-init on the host
/// @param socket where the worker listens for this sandbox alone
/// @param userNamespace path of the sandbox's
/// @param networkNamespace path of a ready one to join, empty = a new one
/// @param program path of runsc
/// @param platform how it runs programs: `systrap` or `ptrace`. `kvm` would need `/dev/kvm` to be
///   open to every sandbox
/// @param stage a directory of the sandbox's root, in memory, with `bundle` and `state`
/// @param id of the container
public record GvisorCommand(
        Path init,
        Path socket,
        Path userNamespace,
        Optional<Path> networkNamespace,
        Path program,
        String platform,
        Path stage,
        String id) {
    /// The words of the command line.
    public List<String> words() {
        List<String> words = new ArrayList<>();
        words.addAll(List.of(init.toString(), "--dial", socket.toString(), "--"));
        words.add("nsenter");
        networkNamespace.ifPresent(path -> words.add("--net=" + path));
        words.addAll(List.of("--user=" + userNamespace, "--", "unshare", "--mount"));
        if (networkNamespace.isEmpty()) {
            words.add("--net");
        }
        words.add("--");
        words.addAll(List.of(program.toString(), "--root", stage.resolve("state").toString()));
        words.addAll(List.of("--platform=" + platform, "--network=host", "--ignore-cgroups"));
        words.addAll(List.of("--oci-seccomp", "--host-uds=none", "--host-fifo=none"));
        words.addAll(List.of("run", "--detach"));
        words.addAll(List.of("--bundle", stage.resolve("bundle").toString(), id));
        return List.copyOf(words);
    }
}
