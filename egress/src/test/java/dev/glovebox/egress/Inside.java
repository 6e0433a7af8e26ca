package dev.glovebox.egress;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Stands where a sandboxed process stands: in the door's namespace, as uid 1000, without a
/// capability, with the sandbox's `resolv.conf`.
final class Inside {
    private final Door door;
    private final Path directory;

    Inside(Door door, Path directory) {
        this.door = door;
        this.directory = directory;
    }

    record Result(int exit, String output) {}

    Result run(String... command) throws IOException, InterruptedException {
        Process process = start(command);
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("did not end: " + String.join(" ", command));
        }
        return new Result(process.exitValue(), output);
    }

    Process start(String... command) throws IOException {
        Path resolv = directory.resolve("resolv.conf");
        Files.writeString(resolv, "nameserver 198.18.0.1\n");
        List<String> line =
                new ArrayList<>(
                        List.of(
                                "nsenter",
                                "--net=" + door.networkNamespace(),
                                "unshare",
                                "--mount",
                                "sh",
                                "-c",
                                "mount --bind \"$0\" /etc/resolv.conf && exec setpriv --reuid 1000"
                                        + " --regid 1000 --clear-groups --no-new-privs"
                                        + " --bounding-set=-all --inh-caps=-all \"$@\"",
                                resolv.toString()));
        line.addAll(List.of(command));
        ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
        builder.directory(Path.of("/").toFile());
        return builder.start();
    }

    /// `curl` with a short deadline; the output is the body, then a line with the status.
    Result curl(String... arguments) throws IOException, InterruptedException {
        return curl(List.of("--noproxy", "*"), arguments);
    }

    /// The same by the proxy at a URL.
    Result curlBy(String proxy, String... arguments) throws IOException, InterruptedException {
        return curl(List.of("--noproxy", "", "-x", proxy), arguments);
    }

    private Result curl(List<String> way, String... arguments)
            throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("curl", "-sS", "-m", "8", "-w", "\n%{http_code}"));
        command.addAll(way);
        command.addAll(List.of(arguments));
        return run(command.toArray(String[]::new));
    }
}
