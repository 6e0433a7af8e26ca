package dev.glovebox.sandbox.image;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import land.oras.Registry;

/// Debian's `docker-registry`, on a free port of the loopback, with its storage in a directory of
/// the test.
final class LocalRegistry implements AutoCloseable {
    private final Process process;
    private final String host;

    private LocalRegistry(Process process, String host) {
        this.process = process;
        this.host = host;
    }

    static LocalRegistry start(Path directory) throws IOException {
        return start(directory, "");
    }

    /// One over TLS, of the same storage.
    static LocalRegistry startTls(Path directory, Path certificate, Path key) throws IOException {
        return start(
                directory, ", tls: {certificate: \"%s\", key: \"%s\"}".formatted(certificate, key));
    }

    private static LocalRegistry start(Path directory, String tls) throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Path config =
                Files.writeString(
                        directory.resolve("registry.yml"),
                        """
                        version: 0.1
                        log: {level: error}
                        storage:
                          filesystem: {rootdirectory: %s}
                          delete: {enabled: true}
                        http: {addr: "127.0.0.1:%d", secret: test%s}
                        """
                                .formatted(directory.resolve("storage"), port, tls));
        Process process =
                new ProcessBuilder("docker-registry", "serve", config.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("registry.log").toFile())
                        .start();
        LocalRegistry registry = new LocalRegistry(process, "127.0.0.1:" + port);
        registry.await(directory.resolve("registry.log"));
        return registry;
    }

    /// As in a reference.
    String host() {
        return host;
    }

    int port() {
        return Integer.parseInt(host.substring(host.indexOf(':') + 1));
    }

    /// The independent client that pushes.
    Registry client() {
        return Registry.builder().insecure(host).build();
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void await(Path log) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (process.isAlive() && System.nanoTime() < end) {
            try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), port())) {
                return;
            } catch (IOException e) {
                LockSupport.parkNanos(1_000_000);
            }
        }
        close();
        throw new IOException("docker-registry does not answer: " + Files.readString(log));
    }
}
