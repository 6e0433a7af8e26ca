package dev.glovebox.sandbox.launch;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// The socket on which the worker expects one connection, from the runtime's process that becomes
/// one sandbox. It lies in a directory only root can enter, and its path is gone once the one
/// connection is there.
///
/// @param path where it lies
public record GuestListener(ServerSocketChannel server, Path path) implements AutoCloseable {
    /// Begins to listen there.
    public static GuestListener bind(Path path) throws IOException {
        Files.deleteIfExists(path);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            server.bind(UnixDomainSocketAddress.of(path), 1);
            server.configureBlocking(false);
            return new GuestListener(server, path);
        } catch (IOException e) {
            server.close();
            throw e;
        }
    }

    /// Waits for the connection.
    ///
    /// @throws SocketTimeoutException if there is none in time
    public SocketChannel accept(Duration timeout) throws IOException {
        try (Selector selector = Selector.open()) {
            server.register(selector, SelectionKey.OP_ACCEPT);
            long end = System.nanoTime() + timeout.toNanos();
            while (true) {
                SocketChannel channel = server.accept();
                if (channel != null) {
                    close();
                    channel.configureBlocking(true);
                    return channel;
                }
                long left = (end - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    throw new SocketTimeoutException("nobody connected within " + timeout);
                }
                selector.select(left);
                selector.selectedKeys().clear();
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(path);
    }
}
