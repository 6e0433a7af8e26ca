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
import java.util.function.BooleanSupplier;

/// The socket on which the worker expects one connection, from the runtime's process that becomes
/// one sandbox. It lies in a directory only root can enter, and its path is gone once the one
/// connection is there.
///
/// @param path where it lies
public record GuestListener(ServerSocketChannel server, Path path) implements AutoCloseable {
    private static final long ASK_MILLIS = 20;

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

    /// Waits for the connection, and until something has come over it, be it its end.
    ///
    /// @param hopeless whether nobody is left who could connect or greet; asked again and again
    /// @throws SocketTimeoutException if there is nothing in time
    /// @throws IOException if it has become hopeless
    public SocketChannel accept(Duration timeout, BooleanSupplier hopeless) throws IOException {
        long end = System.nanoTime() + timeout.toNanos();
        SocketChannel channel;
        try (Selector selector = Selector.open()) {
            server.register(selector, SelectionKey.OP_ACCEPT);
            await(selector, end, hopeless, "nobody connected within " + timeout);
            channel = server.accept();
            close();
            try {
                channel.configureBlocking(false);
                channel.register(selector, SelectionKey.OP_READ);
                await(selector, end, hopeless, "nobody greeted within " + timeout);
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        }
        channel.configureBlocking(true);
        return channel;
    }

    private static void await(
            Selector selector, long end, BooleanSupplier hopeless, String otherwise)
            throws IOException {
        while (true) {
            boolean last = hopeless.getAsBoolean();
            int ready = last ? selector.selectNow() : selector.select(ASK_MILLIS);
            if (ready > 0) {
                selector.selectedKeys().clear();
                return;
            }
            if (last) {
                throw new IOException("the runtime did not end well");
            }
            if (System.nanoTime() - end > 0) {
                throw new SocketTimeoutException(otherwise);
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        Files.deleteIfExists(path);
    }
}
