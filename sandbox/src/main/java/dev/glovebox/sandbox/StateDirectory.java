package dev.glovebox.sandbox;

import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.linux.cgroup.Cgroups;
import dev.glovebox.linux.cgroup.OwnCpuGroup;
import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.linux.mount.Mounts;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.launch.IdBlocks;
import dev.glovebox.sandbox.root.BaseRoot;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The one directory, and the one control group, in which everything of this worker's sandboxes is
/// to be found, so that cleaning up is listing them and not remembering.
///
/// ```
/// lock               held while a worker lives
/// base/              what all sandboxes share
/// live/              in memory: what means nothing after a restart of the host
/// live/runtime/      the OCI runtime's own records (--root)
/// live/bundles/NAME/ config.json and log of one sandbox
/// live/*.sock        where pid 1 of one sandbox connects; gone once it has
/// ```
///
/// `live` is the one mount in it, so that a start writes no disk: to make and remove a few files at
/// every start took ext4 a tenth of its time. The mounts of a sandbox live in a mount namespace of
/// their own and end with it.
final class StateDirectory implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(StateDirectory.class.getName());
    private static final Duration DESTROY_DEADLINE = Duration.ofSeconds(10);
    private static final long POLL_NANOS = 2_000_000;

    /// Room for the files of more sandboxes than there are blocks of ids.
    private static final String LIVE_OPTIONS = "size=512m,nr_inodes=131072,mode=700";

    private final Path directory;
    private final Path live;
    private final Cgroup group;
    private final Cgroups cgroups;
    private final FileChannel lockFile;

    private StateDirectory(Path directory, Cgroups cgroups, Cgroup group, FileChannel lockFile) {
        this.directory = directory;
        this.live = directory.resolve("live");
        this.cgroups = cgroups;
        this.group = group;
        this.lockFile = lockFile;
    }

    /// Makes or takes over the directory and ends all that an earlier worker left in it.
    ///
    /// @throws SandboxException [Band#CALLER] if a living worker has it
    static StateDirectory open(Path path, Cgroups cgroups) {
        try {
            Files.createDirectories(path);
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx------"));
            Path directory = path.toRealPath();
            FileChannel lockFile = locked(directory.resolve("lock"));
            Cgroup group = cgroups.group(groupPath(directory));
            StateDirectory state = new StateDirectory(directory, cgroups, group, lockFile);
            state.mount();
            state.reconcile();
            return state;
        } catch (IOException | LinuxException e) {
            throw new SandboxException(
                    Band.HOST, "cannot use the state directory " + path + ": " + e.getMessage(), e);
        }
    }

    Path path() {
        return directory;
    }

    Path base() {
        return directory.resolve("base");
    }

    Path runtimeRoot() {
        return live.resolve("runtime");
    }

    Path bundle(String name) {
        return live.resolve("bundles").resolve(name);
    }

    /// Where the sandbox that has this block of ids connects; no other that lives has the same.
    Path socket(IdBlocks.Block block) {
        return live.resolve(Long.toHexString(block.firstHostId()) + ".sock");
    }

    /// In which the groups of all sandboxes lie.
    Cgroup group() {
        return group;
    }

    /// For the worker itself, by a name that no sandbox can have.
    Cgroup ownGroup() {
        return group("_worker");
    }

    Cgroup group(String name) {
        return cgroups.group(group.path() + "/" + name);
    }

    /// Removes everything of one sandbox, whatever of it there is.
    ///
    /// @return whether no process of it can be left
    boolean remove(String name) {
        boolean ended = group(name).destroy(DESTROY_DEADLINE);
        if (!ended) {
            LOG.log(Level.ERROR, "processes of sandbox {0} cannot be ended", name);
        }
        delete(runtimeRoot().resolve(name));
        delete(bundle(name));
        return ended;
    }

    @Override
    public void close() {
        group.destroy(DESTROY_DEADLINE);
        cgroups.group("/glovebox").removeIfEmpty();
        try {
            Mounts.detach(live);
        } catch (LinuxException e) {
            LOG.log(Level.WARNING, "cannot unmount " + live, e);
        }
        delete(live);
        delete(base());
        try {
            lockFile.close();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot release the lock of " + directory, e);
        }
    }

    /// It is there already if an earlier worker was killed.
    private void mount() throws IOException {
        Files.createDirectories(live);
        if (MountInfo.at(MountInfo.ofThisProcess(), live.toString()).isEmpty()) {
            Mounts.tmpfs(live, LIVE_OPTIONS);
        }
    }

    /// Looks at what there is, and remembers nothing: first what could still make more, then what
    /// runs, then what lies there.
    private void reconcile() throws IOException {
        if (isNotEmpty(live.resolve("bundles"))) {
            endStrays();
        }
        OwnCpuGroup.removeLeftover(ownGroup());
        for (String name : group.children()) {
            LOG.log(Level.WARNING, "ending sandbox {0}, left by an earlier worker", name);
            remove(name);
        }
        for (String child : new String[] {"bundles", "runtime"}) {
            delete(live.resolve(child));
            Files.createDirectories(live.resolve(child));
        }
        try (DirectoryStream<Path> sockets = Files.newDirectoryStream(live, "*.sock")) {
            sockets.forEach(StateDirectory::delete);
        }
    }

    /// Ends runtimes that were starting a sandbox when their worker died. They are in no control
    /// group of ours yet, and would make one after everything has been removed.
    private void endStrays() {
        long end = System.nanoTime() + DESTROY_DEADLINE.toNanos();
        List<ProcessHandle> strays = strays();
        while (!strays.isEmpty()) {
            if (System.nanoTime() > end) {
                LOG.log(Level.ERROR, "runtimes of an earlier worker cannot be ended: {0}", strays);
                return;
            }
            strays.forEach(ProcessHandle::destroyForcibly);
            LockSupport.parkNanos(POLL_NANOS);
            strays = strays();
        }
    }

    /// Processes with our records of the runtime in their command line; no other has that.
    private List<ProcessHandle> strays() {
        String records = runtimeRoot().toString();
        return ProcessHandle.allProcesses()
                .filter(process ->
                        process.info().arguments().stream()
                                .flatMap(Arrays::stream)
                                .anyMatch(word -> word.contains(records)))
                .toList();
    }

    private static boolean isNotEmpty(Path path) throws IOException {
        if (!Files.isDirectory(path)) {
            return false;
        }
        try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
            return children.iterator().hasNext();
        }
    }

    private static FileChannel locked(Path path) throws IOException {
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        @Nullable FileLock lock;
        try {
            lock = channel.tryLock();
        } catch (java.nio.channels.OverlappingFileLockException e) {
            lock = null;
        }
        if (lock == null) {
            channel.close();
            throw new SandboxException(
                    Band.CALLER,
                    "another worker uses the state directory " + path.resolveSibling(""));
        }
        return channel;
    }

    private static void delete(Path path) {
        try {
            if (Files.isDirectory(path)) {
                BaseRoot.remove(path);
            } else {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot remove " + path, e);
        }
    }

    /// The control group of all sandboxes of a state directory, given as its real path.
    static String groupPath(Path directory) {
        return "/glovebox/" + digest(directory);
    }

    private static String digest(Path path) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            byte[] hash = sha.digest(path.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
