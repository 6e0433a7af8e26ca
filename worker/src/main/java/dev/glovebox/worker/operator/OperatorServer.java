package dev.glovebox.worker.operator;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/// Listens for operators, one virtual thread for each connection.
///
/// A file lock beside the socket is held as long as this lives. Whoever has it knows that a socket
/// lying there belongs to nobody, and replaces it; whoever does not get it touches nothing.
public final class OperatorServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(OperatorServer.class.getName());
    private static final Set<PosixFilePermission> OWNER_DIRECTORY =
            PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> OWNER_FILE =
            PosixFilePermissions.fromString("rw-------");
    private static final int BACKLOG = 128;

    private final Path socket;
    private final FileChannel lock;
    private final ServerSocketChannel server;
    private final UserPrincipal owner;
    private final Roster roster;
    private final OperatorLimits limits;
    private final Semaphore places;
    private final Set<SocketChannel> connections = ConcurrentHashMap.newKeySet();
    private final ScheduledThreadPoolExecutor clock;

    private OperatorServer(
            Path socket,
            FileChannel lock,
            ServerSocketChannel server,
            Roster roster,
            OperatorLimits limits)
            throws IOException {
        this.socket = socket;
        this.lock = lock;
        this.server = server;
        this.owner = Files.getOwner(socket, LinkOption.NOFOLLOW_LINKS);
        this.roster = roster;
        this.limits = limits;
        this.places = new Semaphore(limits.connections());
        this.clock =
                new ScheduledThreadPoolExecutor(
                        1, Thread.ofPlatform().daemon(true).name("operator-clock").factory());
        clock.setRemoveOnCancelPolicy(true);
    }

    /// Begins to listen.
    ///
    /// @param socket as [OperatorSocket] says; its directory is made, and belongs to it alone
    /// @throws OperatorException if another worker listens there, or nobody can
    public static OperatorServer open(Path socket, Roster roster, OperatorLimits limits) {
        Path directory = socket.resolveSibling("");
        try {
            prepare(directory);
            FileChannel lock = locked(directory.resolve("lock"));
            try {
                Files.deleteIfExists(socket);
                ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
                try {
                    server.bind(UnixDomainSocketAddress.of(socket), BACKLOG);
                    Files.setPosixFilePermissions(socket, OWNER_FILE);
                    OperatorServer opened =
                            new OperatorServer(socket, lock, server, roster, limits);
                    Thread.ofVirtual().name("operator-accept").start(opened::accept);
                    return opened;
                } catch (IOException | RuntimeException e) {
                    server.close();
                    throw e;
                }
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new OperatorException("cannot listen for operators on " + socket, e);
        }
    }

    /// Where it listens.
    public Path socket() {
        return socket;
    }

    /// Hangs up on every operator, whose commands end, and takes the socket away.
    @Override
    public void close() {
        quietly(server);
        try {
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot remove " + socket, e);
        }
        connections.forEach(OperatorServer::quietly);
        clock.shutdownNow();
        quietly(lock);
    }

    private void accept() {
        while (true) {
            try {
                SocketChannel channel = server.accept();
                connections.add(channel);
                if (!server.isOpen()) {
                    quietly(channel);
                }
                Thread.ofVirtual().name("operator").start(() -> serve(channel));
            } catch (ClosedChannelException _) {
                return;
            } catch (IOException e) {
                LOG.log(Level.WARNING, "an operator could not connect", e);
                if (!server.isOpen()) {
                    return;
                }
            }
        }
    }

    private void serve(SocketChannel channel) {
        @Nullable Place place = places.tryAcquire() ? new Place() : null;
        try (channel) {
            UserPrincipal user = channel.getOption(ExtendedSocketOptions.SO_PEERCRED).user();
            if (!user.equals(owner)) {
                LOG.log(Level.WARNING, "user {0} is no operator here: hung up", user.getName());
                return;
            }
            Exchange exchange =
                    new Exchange(
                            new OperatorChannel(channel), user.getName(), roster, limits, clock);
            if (place != null) {
                exchange.run(place::release);
            } else {
                exchange.refuse(
                        limits.connections()
                                + " operators are connected already; end one and try again");
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "operator gone", e);
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "serving an operator", e);
        } finally {
            connections.remove(channel);
            if (place != null) {
                place.release();
            }
        }
    }

    /// One of the places for connections, given back once.
    private final class Place {
        private final AtomicBoolean taken = new AtomicBoolean(true);

        void release() {
            if (taken.compareAndSet(true, false)) {
                places.release();
            }
        }
    }

    /// Makes the directory, or takes one that is ours; after that nobody else can enter it.
    private static void prepare(Path directory) throws IOException {
        Path parent = directory.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        FileAttribute<Set<PosixFilePermission>> mode =
                PosixFilePermissions.asFileAttribute(OWNER_DIRECTORY);
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(directory, mode);
        }
        Files.setPosixFilePermissions(directory, OWNER_DIRECTORY);
    }

    private static FileChannel locked(Path path) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        path,
                        Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(OWNER_FILE));
        @Nullable FileLock held;
        try {
            held = channel.tryLock();
        } catch (OverlappingFileLockException _) {
            held = null;
        }
        if (held == null) {
            channel.close();
            throw new OperatorException(
                    "another worker listens for operators in " + path.resolveSibling(""));
        }
        return channel;
    }

    private static void quietly(AutoCloseable thing) {
        try {
            thing.close();
        } catch (Exception e) {
            LOG.log(Level.DEBUG, "closing", e);
        }
    }
}
