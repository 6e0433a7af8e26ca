package dev.glovebox.egress;

import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.NamespaceCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/// A network namespace of a test's own. It lives as long as a process of ours that waits for the
/// end of its input, so it is gone with this JVM whatever becomes of it, and leaves no file.
final class Zone implements AutoCloseable {
    private static final String OWN = "/proc/thread-self/ns/net";

    private final Process holder;
    private final Path file;

    Zone() throws IOException {
        holder =
                new ProcessBuilder("unshare", "--net", "cat")
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        file = Path.of("/proc", Long.toString(holder.pid()), "ns/net");
        holder.getOutputStream().write('\n');
        holder.getOutputStream().flush();
        if (holder.getInputStream().read() != '\n' || isOurs(file)) {
            close();
            throw new IOException("no network namespace came about");
        }
    }

    private static boolean isOurs(Path file) throws IOException {
        return Files.readSymbolicLink(file)
                .equals(Files.readSymbolicLink(Path.of("/proc/self/ns/net")));
    }

    long pid() {
        return holder.pid();
    }

    /// Runs the task on a thread inside. Threads it starts, and threads these start, are inside
    /// too.
    <T> T enter(Callable<T> task) {
        return KernelThread.call(
                "zone",
                () -> {
                    int home = NamespaceCalls.open(OWN);
                    int inside = NamespaceCalls.open(file.toString());
                    try {
                        NamespaceCalls.enter(inside);
                        return task.call();
                    } finally {
                        NamespaceCalls.enter(home);
                        NamespaceCalls.close(inside);
                        NamespaceCalls.close(home);
                    }
                });
    }

    /// A program inside; its output.
    String run(String... command) {
        List<String> line = new ArrayList<>(List.of("nsenter", "--net=" + file));
        line.addAll(List.of(command));
        try {
            Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new AssertionError(String.join(" ", line) + ": " + output);
            }
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// A program inside that goes on; its output goes to the file.
    Process start(Path output, String... command) throws IOException {
        List<String> line = new ArrayList<>(List.of("nsenter", "--net=" + file));
        line.addAll(List.of(command));
        return new ProcessBuilder(line)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    /// A script of `sh`, stopped at the first command that fails.
    String script(String lines) {
        return run("sh", "-euc", "PATH=$PATH:/usr/sbin:/sbin\n" + lines);
    }

    @Override
    public void close() {
        holder.destroyForcibly();
    }
}
