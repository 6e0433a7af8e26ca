package dev.glovebox.sandbox.guest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// A real glovebox-init outside of any sandbox, dialled as in production, and a directory for it to
/// work in. As root it is run with uid 1000, so that a test can do no more than an agent.
final class LiveInit implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Path directory;
    private final Process process;
    private final SocketChannel channel;

    private LiveInit(Path directory, Process process, SocketChannel channel) {
        this.directory = directory;
        this.process = process;
        this.channel = channel;
    }

    static LiveInit start() {
        return start(InitBinary.STATIC);
    }

    /// @param prefix what to run before the program, such as `unshare`
    static LiveInit start(InitBinary binary, String... prefix) {
        try {
            Path directory = Files.createTempDirectory("glovebox-guest-");
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
            Path socket = directory.resolveSibling(directory.getFileName() + ".sock");
            try (ServerSocketChannel listener =
                    ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                listener.bind(UnixDomainSocketAddress.of(socket));
                ProcessBuilder builder = new ProcessBuilder(command(binary.path(), socket, prefix));
                builder.environment().put("ASAN_OPTIONS", InitBinary.SANITIZER_OPTIONS);
                builder.environment().put("UBSAN_OPTIONS", InitBinary.SANITIZER_OPTIONS);
                Process process =
                        builder.directory(directory.toFile())
                                .redirectErrorStream(true)
                                .redirectOutput(directory.resolve("init.log").toFile())
                                .start();
                return new LiveInit(directory, process, listener.accept());
            } finally {
                Files.deleteIfExists(socket);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> command(Path binary, Path socket, String... prefix) {
        List<String> command =
                new ArrayList<>(List.of(binary.toString(), "--dial", socket.toString(), "--"));
        command.addAll(Arrays.asList(prefix));
        command.addAll(asAgent());
        command.add(binary.toString());
        return command;
    }

    /// What to put before a command so that it runs with the rights of an agent; empty if we have
    /// no more.
    static List<String> asAgent() {
        return System.getProperty("user.name").equals("root")
                ? List.of(
                        "setpriv",
                        "--reuid=1000",
                        "--regid=1000",
                        "--clear-groups",
                        "--no-new-privs")
                : List.of();
    }

    SocketChannel channel() {
        return channel;
    }

    Process process() {
        return process;
    }

    Path directory() {
        return directory;
    }

    /// The path of a file in the working directory.
    String path(String name) {
        return directory + "/" + name;
    }

    Guest guest() {
        return Guest.over(channel, GuestLimits.DEFAULT);
    }

    ProcessRequest request(String... argv) {
        return ProcessRequest.of(
                List.of(argv), Map.of("PATH", "/usr/bin:/bin"), directory.toString());
    }

    ProcessRequest shell(String script) {
        return request("bash", "--norc", "-c", script);
    }

    ProcessRequest terminal(WindowSize size, String... argv) {
        ProcessRequest plain = request(argv);
        return new ProcessRequest(
                plain.argv(), plain.environment(), plain.cwd(), Optional.of(size), false);
    }

    /// Runs a script to its end and returns what it printed; stderr is part of it.
    String run(Guest guest, String script) throws IOException, TimeoutException {
        ProcessRequest plain = shell(script);
        GuestProcess process =
                guest.start(
                        new ProcessRequest(
                                plain.argv(),
                                plain.environment(),
                                plain.cwd(),
                                Optional.empty(),
                                true));
        process.stdin().close();
        String output = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor(PATIENCE);
        return output;
    }

    /// Waits until something is so, for things that no call can be asked to wait for.
    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not in time: " + what);
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("init outlived its connection");
            }
            InitBinary.run(List.of("rm", "-rf", directory.toString()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
