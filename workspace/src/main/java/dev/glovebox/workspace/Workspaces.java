package dev.glovebox.workspace;

import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.Trees;
import dev.glovebox.linux.disk.DiskImage;
import dev.glovebox.linux.disk.Flock;
import dev.glovebox.linux.mount.MountInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

/// The workspaces of one machine's workers: a disk each, below a root that only they can enter.
///
/// A workspace stays when its sandbox ends, so that a session finds its files again with its next
/// work item.
///
/// ```
/// ROOT/.disks/ID/image     a file system of fixed size, sparse
/// ROOT/.disks/ID/mount     where it is mounted while the workspace is open
/// ROOT/.disks/.template-*  an empty one, to copy
/// ROOT/ID                  a workspace without limits, a plain directory
/// ROOT/.open/ID            locked, together, by those who have that directory open
/// ```
///
/// No agent ever writes outside the mounted file system or the plain directory, so nothing else
/// here can have been forged by one. Who has a workspace open holds a lock on `.disks/ID` that the
/// kernel drops when the holder dies; what a killed worker left mounted is unmounted by the next
/// one that opens the root. A workspace with limits is open once at a time; one without can be
/// several times.
public final class Workspaces {
    /// Uid and gid of the agent inside a sandbox, and so of its files on disk.
    public static final int AGENT_ID = 1000;

    /// Bytes that the host's file system must have free for a workspace to be opened.
    public static final long RESERVE_BYTES = 256L << 20;

    private static final System.Logger LOG = System.getLogger(Workspaces.class.getName());
    private static final String DISKS = ".disks";
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final long POLL_NANOS = 1_000_000;
    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}");

    private final Path root;
    private final Path disks;
    private final Path opened;
    private final Optional<WorkspaceLimits> limits;

    private Workspaces(Path root, Optional<WorkspaceLimits> limits) {
        this.root = root;
        this.disks = root.resolve(DISKS);
        this.opened = root.resolve(".open");
        this.limits = limits;
    }

    /// Uses a directory for workspaces of [WorkspaceLimits#DEFAULT].
    ///
    /// @throws WorkspaceException when it cannot be made or entered
    public static Workspaces open(Path root) {
        return open(root, Optional.of(WorkspaceLimits.DEFAULT));
    }

    /// Uses a directory that is there already, to look at and to remove what is in it.
    ///
    /// @throws WorkspaceException when it is not there, or cannot be entered
    public static Workspaces existing(Path root) {
        if (!Files.isDirectory(root.resolve(DISKS))) {
            throw new WorkspaceException(
                    "no workspaces in " + root + ": say the data directory of a worker");
        }
        return open(root);
    }

    /// Uses a directory for workspaces, making it with mode 0700 where it is missing, and unmounts
    /// there what killed workers left.
    ///
    /// @param limits of workspaces made from now on, empty = plain directories that can fill the
    ///   file system of the host; a workspace that is there keeps those it was made with
    /// @throws WorkspaceException when it cannot be made or entered
    public static Workspaces open(Path root, Optional<WorkspaceLimits> limits) {
        try {
            Files.createDirectories(root);
            // as the mount table will have it
            Workspaces workspaces = new Workspaces(root.toRealPath(), limits);
            makePrivate(workspaces.root);
            makePrivate(workspaces.disks);
            workspaces.unmountLeftovers();
            removeUnfinished(workspaces.root);
            removeUnfinished(workspaces.disks);
            return workspaces;
        } catch (IOException | UncheckedIOException | LinuxException e) {
            throw new WorkspaceException("cannot use " + root + " for workspaces", e);
        }
    }

    /// The workspace of this id, new and empty if there was none.
    ///
    /// @param id letters, digits, `_`, `.`, `-`, not beginning with a dot, at most 128
    /// @throws WorkspaceException for another id, when the workspace is open already, or when the
    ///   disk refuses
    public Workspace open(String id) {
        Path plain = plain(id);
        Path disk = disks.resolve(id);
        try {
            if (root.toFile().getUsableSpace() < RESERVE_BYTES) {
                throw new WorkspaceException(
                        "less than "
                                + (RESERVE_BYTES >> 20)
                                + " MiB are free in "
                                + root
                                + ": remove workspaces or add space");
            }
            if (isDirectory(plain)) {
                return shared(id, plain);
            }
            if (isDirectory(disk)) {
                return mounted(id, disk, take(id, disk), DiskImage::mount);
            }
            if (limits.isEmpty()) {
                make(plain);
                return shared(id, plain);
            }
            makeDisk(disk, limits.get());
            return mounted(id, disk, take(id, disk), DiskImage::mount);
        } catch (IOException | LinuxException e) {
            throw new WorkspaceException("cannot open workspace " + id + ": " + reason(e), e);
        }
    }

    /// Where the files of a workspace are on this host at the moment: a plain directory always, a
    /// disk only while somebody, in this process or another, has it open. What lies there is
    /// hostile ([Workspace]).
    ///
    /// @throws WorkspaceException for an id that is none, or when the disk refuses
    public Optional<Path> whereOpen(String id) {
        Path plain = plain(id);
        if (isDirectory(plain)) {
            return Optional.of(plain);
        }
        Path disk = disks.resolve(id);
        DiskImage image = new DiskImage(disk);
        try {
            return isDirectory(disk) && image.mounted()
                    ? Optional.of(image.mountPoint())
                    : Optional.empty();
        } catch (IOException e) {
            throw new WorkspaceException("cannot look for workspace " + id, e);
        }
    }

    /// The workspace of this id to look into, never made here: read-only if nobody has it open, and
    /// then nobody can open it until this is closed; else as it is while others write in it.
    ///
    /// @throws WorkspaceException when there is none, or the disk refuses
    public Workspace look(String id) {
        Path disk = disks.resolve(plain(id).getFileName());
        if (whereOpen(id).isEmpty() && !isDirectory(disk)) {
            throw new WorkspaceException("no workspace " + id + " in " + root);
        }
        try {
            Optional<Flock> lock = isDirectory(disk) ? Flock.tryTake(disk) : Optional.empty();
            if (lock.isPresent()) {
                return mounted(id, disk, lock.get(), DiskImage::mountReadOnly);
            }
            return whereOpen(id)
                    .map(directory -> new Workspace(id, directory, () -> {}))
                    .orElseThrow(() ->
                            new WorkspaceException(
                                    "workspace " + id + " is being opened or closed: try again"));
        } catch (IOException | LinuxException e) {
            throw new WorkspaceException("cannot open workspace " + id + ": " + reason(e), e);
        }
    }

    /// What is known of a workspace without opening it.
    ///
    /// @param open whether somebody has it open
    /// @param diskBytes that its disk takes of the host's, empty for one without limits
    public record Known(String id, boolean open, OptionalLong diskBytes) {}

    /// All workspaces, by their ids.
    public List<Known> known() {
        List<Known> known = new ArrayList<>();
        try {
            for (Path plain : below(root)) {
                known.add(new Known(name(plain), isShared(name(plain)), OptionalLong.empty()));
            }
            for (Path disk : below(disks)) {
                DiskImage image = new DiskImage(disk);
                known.add(
                        new Known(
                                name(disk), image.mounted(), OptionalLong.of(image.bytesOnHost())));
            }
        } catch (IOException | UncheckedIOException | LinuxException e) {
            throw new WorkspaceException("cannot list the workspaces in " + root, e);
        }
        known.sort(Comparator.comparing(Known::id));
        return known;
    }

    private boolean isShared(String id) {
        Path file = opened.resolve(id);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (Flock lock = Flock.tryTake(file).orElse(null)) {
            return lock == null;
        }
    }

    private static String name(Path directory) {
        return directory.getFileName().toString();
    }

    /// Names that begin with a dot are no ids.
    private static List<Path> below(Path directory) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries =
                Files.newDirectoryStream(
                        directory, each -> isDirectory(each) && ID.matcher(name(each)).matches())) {
            entries.forEach(found::add);
        }
        return found;
    }

    /// Removes the workspace of this id and all that is in it; nothing happens if there is none.
    ///
    /// @throws WorkspaceException when it is open, or something of it is left
    public void delete(String id) {
        try {
            Path plain = plain(id);
            if (isDirectory(plain)) {
                Path file = openedFile(id);
                try (Flock _ = Flock.tryTake(file).orElseThrow(() -> isOpen(id))) {
                    remove(plain);
                    Files.delete(file);
                }
            }
            Path disk = disks.resolve(id);
            if (isDirectory(disk)) {
                try (Flock _ = take(id, disk)) {
                    new DiskImage(disk).unmountLeftover();
                    remove(disk);
                }
            }
        } catch (IOException | UncheckedIOException | LinuxException e) {
            throw new WorkspaceException("cannot remove workspace " + id, e);
        }
    }

    /// A plain directory, which nobody can delete while it is open.
    private Workspace shared(String id, Path plain) throws IOException {
        Flock lock = share(id);
        if (!isDirectory(plain)) {
            lock.close();
            throw new WorkspaceException("workspace " + id + " has just been deleted");
        }
        return new Workspace(id, plain, lock::close);
    }

    /// Who looks whether it is open has the lock alone for a moment.
    private Flock share(String id) throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        Optional<Flock> lock = Flock.tryShare(openedFile(id));
        while (lock.isEmpty() && System.nanoTime() - end < 0) {
            LockSupport.parkNanos(POLL_NANOS);
            lock = Flock.tryShare(openedFile(id));
        }
        return lock.orElseThrow(
                () -> new WorkspaceException("workspace " + id + " is being deleted"));
    }

    private Path openedFile(String id) throws IOException {
        makePrivate(opened);
        Path file = opened.resolve(id);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            Files.write(file, new byte[0]); // as somebody else may at the same time
        }
        return file;
    }

    private interface Mounting {
        void of(DiskImage image) throws IOException;
    }

    private static Workspace mounted(String id, Path disk, Flock lock, Mounting mounting)
            throws IOException {
        DiskImage image = new DiskImage(disk);
        try {
            image.unmountLeftover();
            mounting.of(image);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
        return new Workspace(
                id,
                image.mountPoint(),
                () -> {
                    try (lock) {
                        image.unmount();
                    }
                });
    }

    private static Flock take(String id, Path disk) {
        return Flock.tryTake(disk).orElseThrow(() -> isOpen(id));
    }

    private static WorkspaceException isOpen(String id) {
        return new WorkspaceException(
                "workspace " + id + " is open in another sandbox; it can be in one at a time");
    }

    /// Made under another name first, so that a workspace that is there belongs to the agent.
    private void make(Path plain) throws IOException {
        Path fresh = Files.createTempDirectory(root, ".new-");
        Files.setAttribute(fresh, "unix:uid", AGENT_ID);
        Files.setAttribute(fresh, "unix:gid", AGENT_ID);
        Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.move(fresh, plain, StandardCopyOption.ATOMIC_MOVE);
    }

    private void makeDisk(Path disk, WorkspaceLimits wanted) throws IOException {
        Path template = template(wanted);
        Path fresh = Files.createTempDirectory(disks, ".new-");
        try (Flock _ = take(disk.toString(), fresh)) {
            DiskImage.copy(template, fresh);
            Files.move(fresh, disk, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            // somebody else has just made it
            Trees.remove(fresh);
            if (!isDirectory(disk)) {
                throw e;
            }
        }
    }

    /// All disks of one size are copies of one empty disk, a few hundred KiB of data in a file of
    /// holes, which is made at the first use of these limits.
    private Path template(WorkspaceLimits wanted) throws IOException {
        DiskImage.Plan plan = new DiskImage.Plan(wanted.bytes(), wanted.files(), AGENT_ID);
        Path template = disks.resolve(".template-" + plan.imageMebi() + "m-" + plan.files());
        if (Files.exists(template, LinkOption.NOFOLLOW_LINKS)) {
            return template;
        }
        Path making = Files.createTempDirectory(disks, ".making-");
        try (Flock _ = Flock.tryTake(making).orElseThrow()) {
            DiskImage made = DiskImage.make(making, plan);
            Files.move(made.image(), template, StandardCopyOption.ATOMIC_MOVE);
            Trees.remove(making);
        }
        return template;
    }

    private void remove(Path tree) throws IOException {
        Path doomed = Files.createTempDirectory(root, ".deleting-");
        Files.move(tree, doomed.resolve("tree"), StandardCopyOption.ATOMIC_MOVE);
        Trees.remove(doomed);
    }

    /// What a killed worker was making or removing. Who does so now holds the lock, or finds that
    /// it is gone, which is what a removal wants.
    private static void removeUnfinished(Path directory) throws IOException {
        try (DirectoryStream<Path> unfinished =
                Files.newDirectoryStream(directory, ".{new,making,deleting}-*")) {
            for (Path path : unfinished) {
                try (Flock lock = Flock.tryTake(path).orElse(null)) {
                    if (lock != null) {
                        Trees.remove(path);
                    }
                }
            }
        }
    }

    private void unmountLeftovers() {
        for (MountInfo mount : MountInfo.ofThisProcess()) {
            Path target = Path.of(mount.target());
            Path disk = target.getParent();
            if (disk == null || !disks.equals(disk.getParent())) {
                continue;
            }
            try (Flock lock = Flock.tryTake(disk).orElse(null)) {
                if (lock != null) {
                    new DiskImage(disk).unmountLeftover();
                    LOG.log(Level.INFO, "unmounted what a killed worker left: {0}", target);
                }
            } catch (IOException | LinuxException e) {
                LOG.log(Level.WARNING, "cannot unmount " + target, e);
            }
        }
    }

    private Path plain(String id) {
        if (!ID.matcher(id).matches()) {
            throw new WorkspaceException(
                    "'"
                            + id
                            + "' is no name for a workspace: letters, digits, _ . - and at most 128");
        }
        return root.resolve(id);
    }

    private static boolean isDirectory(Path path) {
        return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }

    private static void makePrivate(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
    }

    private static String reason(Exception e) {
        return e instanceof LinuxException linux
                        && linux.getMessage() != null
                        && linux.getMessage().contains("/dev/loop")
                ? linux.getMessage()
                        + "; this host has no loop devices for disks with a limit: give it some, or"
                        + " do without the limit (limits.disk: none)"
                : String.valueOf(e.getMessage());
    }
}
