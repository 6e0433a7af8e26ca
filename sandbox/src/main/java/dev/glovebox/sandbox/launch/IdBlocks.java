package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.UserNamespace;
import dev.glovebox.linux.UserNamespace.Range;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Which blocks of 65,536 host ids this worker's sandboxes have: never the same one for two that
/// live at once on this machine, so that to one another they are strangers.
///
/// A block is claimed by a lock on its byte of one file of the machine, which the kernel releases
/// however the worker ends. Blocks come from 0x70000000 up, above what `subuid(5)` and systemd give
/// away. The user namespace of a block, which shifts owners of files, is made once and kept.
public final class IdBlocks implements AutoCloseable {
    private static final Path CLAIMS = Path.of("/run/glovebox/id-blocks");
    private static final long FIRST_ID = 0x7000_0000L;
    private static final long SIZE = 65_536;
    private static final int MOST = 4_000;
    private static final long AGENT = 1000;

    /// One for the process, never closed: closing any descriptor of a file drops all locks the
    /// process has on it, `fcntl_locking(2)`.
    private static @Nullable FileChannel claims;

    private final Deque<Block> free = new ArrayDeque<>();
    private final Deque<Block> all = new ArrayDeque<>();
    private int next;

    /// One block.
    public static final class Block {
        private final long firstHostId;
        private final UserNamespace namespace;
        private final FileLock claim;
        private @Nullable UserNamespace rootAsAgent;

        private Block(long firstHostId, UserNamespace namespace, FileLock claim) {
            this.firstHostId = firstHostId;
            this.namespace = namespace;
            this.claim = claim;
        }

        /// Where id 0 of the sandbox is on the host.
        public long firstHostId() {
            return firstHostId;
        }

        /// The sandbox's ids, one to one.
        public UserNamespace namespace() {
            return namespace;
        }

        /// What shifts owners of directories of the host that are shown inside: where commands run
        /// as root, root is the agent's id on disk, and the agent's id has none. So a directory can
        /// go from one profile to another, and no file of uid 0 comes to be on the host.
        public synchronized UserNamespace mounts(boolean root) {
            if (!root) {
                return namespace;
            }
            UserNamespace made = rootAsAgent;
            if (made == null) {
                made =
                        UserNamespace.create(
                                List.of(
                                        new Range(1, firstHostId + 1, AGENT - 1),
                                        new Range(AGENT, firstHostId, 1),
                                        new Range(
                                                AGENT + 1,
                                                firstHostId + AGENT + 1,
                                                SIZE - AGENT - 1)));
                rootAsAgent = made;
            }
            return made;
        }

        private synchronized void close() {
            namespace.close();
            if (rootAsAgent != null) {
                rootAsAgent.close();
            }
            release(claim);
        }
    }

    /// A block nobody has.
    ///
    /// @throws SandboxException [Band#CAPACITY] if there is none, [Band#HOST] if this machine has
    ///   no user namespaces
    public synchronized Block take() {
        Block kept = free.poll();
        if (kept != null) {
            return kept;
        }
        while (next < MOST) {
            int index = next++;
            FileLock claim = claim(index);
            if (claim != null) {
                Block block = make(FIRST_ID + index * SIZE, claim);
                all.add(block);
                return block;
            }
        }
        throw new SandboxException(
                Band.CAPACITY, "all " + MOST + " blocks of host ids are in use on this machine");
    }

    /// Gives back a block of which no process is left.
    public synchronized void giveBack(Block block) {
        free.add(block);
    }

    @Override
    public synchronized void close() {
        for (Block block : all) {
            block.close();
        }
        all.clear();
        free.clear();
    }

    private static Block make(long firstHostId, FileLock claim) {
        try {
            return new Block(firstHostId, UserNamespace.create(firstHostId, SIZE), claim);
        } catch (LinuxException | UncheckedIOException e) {
            release(claim);
            throw new SandboxException(
                    Band.HOST,
                    "no user namespace on this machine (root is needed, and"
                            + " user.max_user_namespaces above 0): "
                            + e.getMessage(),
                    e);
        }
    }

    private static @Nullable FileLock claim(int index) {
        try {
            return channel().tryLock(index, 1, false);
        } catch (OverlappingFileLockException e) {
            return null; // another set of sandboxes in this process has it
        } catch (IOException e) {
            throw new SandboxException(Band.HOST, "cannot lock " + CLAIMS, e);
        }
    }

    private static void release(FileLock claim) {
        try {
            claim.release();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot release a lock of " + CLAIMS, e);
        }
    }

    private static FileChannel channel() throws IOException {
        synchronized (IdBlocks.class) {
            FileChannel channel = claims;
            if (channel == null) {
                Path directory = CLAIMS.resolveSibling("");
                Files.createDirectories(
                        directory,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
                channel =
                        FileChannel.open(
                                CLAIMS, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                claims = channel;
            }
            return channel;
        }
    }
}
