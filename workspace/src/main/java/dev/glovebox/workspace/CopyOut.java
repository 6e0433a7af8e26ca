package dev.glovebox.workspace;

import dev.glovebox.linux.ConfinedTree;
import dev.glovebox.linux.ConfinedTree.Attributes;
import dev.glovebox.linux.Errno;
import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.disk.ForeignTree;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;

/// Copies what an agent wrote to a place of the operator's, while the agent may go on writing.
///
/// Directories and regular files are copied, with the time they were changed and the right to run
/// them; the copies belong to the owner of the directory they are put in. What else there is,
/// links, FIFOs, sockets, devices, is left out and counted: a link of a stranger, once it lies in a
/// directory of the operator, points to the operator's files. So is a path of more than 4,095
/// bytes, and a name that is no text.
public final class CopyOut {
    /// Most names, in one directory and in all.
    public static final int MOST_ENTRIES = 1_000_000;

    /// Until a copy is done, or given up; what was copied stays.
    public static final Duration DEADLINE = Duration.ofHours(1);

    private static final Set<Integer> OF_THE_PATH =
            Set.of(Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP, Errno.EXDEV, Errno.ENAMETOOLONG);

    private final ForeignTree source;
    private final ConfinedTree target;
    private final Attributes owner;
    private final long most;
    private final long end = System.nanoTime() + DEADLINE.toNanos();
    private long files;
    private long bytes;
    private long leftOut;

    /// What was done.
    ///
    /// @param leftOut things that were not copied
    public record Result(long files, long bytes, long leftOut) {}

    private CopyOut(ForeignTree source, ConfinedTree target, Attributes owner, long most) {
        this.source = source;
        this.target = target;
        this.owner = owner;
        this.most = most;
    }

    /// Copies a file, or a directory with all that is in it.
    ///
    /// @param path in the workspace, relative; empty for all of it
    /// @param destination where nothing is yet, in an existing directory that only the caller
    ///   writes in
    /// @param most bytes to copy, holes included
    /// @throws WorkspaceException saying why it cannot be copied; what was copied before stays
    public static Result copy(Workspace from, String path, Path destination, long most) {
        Path whole = destination.toAbsolutePath().normalize();
        Path parent = whole.getParent();
        if (parent == null || Files.exists(whole, LinkOption.NOFOLLOW_LINKS)) {
            throw new WorkspaceException(destination + " is there already; name another place");
        }
        try {
            return KernelThread.call(
                    "copy",
                    () -> {
                        try (ForeignTree source = ForeignTree.open(from.directory());
                                ConfinedTree target = ConfinedTree.open(parent.toRealPath())) {
                            Attributes owner =
                                    new Attributes(
                                            id(parent, "unix:uid"), id(parent, "unix:gid"), 0, 0);
                            CopyOut copy = new CopyOut(source, target, owner, most);
                            copy.all(path, whole.getFileName().toString());
                            return new Result(copy.files, copy.bytes, copy.leftOut);
                        }
                    });
        } catch (LinuxException | IllegalStateException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new WorkspaceException(
                    "cannot copy " + from.id() + ":" + path + ": " + cause.getMessage(), e);
        }
    }

    private static int id(Path directory, String attribute) throws IOException {
        return Files.getAttribute(directory, attribute) instanceof Integer id ? id : 0;
    }

    private record Step(String from, String to) {}

    /// The first must be there and be copied; of the others each can have gone, or be a trap.
    private void all(String from, String to) throws IOException {
        Deque<Step> open = new ArrayDeque<>();
        boolean must = true;
        long entries = 0;
        for (Step step = new Step(from, to); step != null; step = open.poll()) {
            if (++entries > MOST_ENTRIES) {
                throw new IOException("more than " + MOST_ENTRIES + " files");
            }
            inTime();
            try (ForeignTree.Found found = source.find(step.from())) {
                if (found.isDirectory()) {
                    target.directory(step.to(), attributes(found, 0755));
                    for (String name : found.names(MOST_ENTRIES)) {
                        String below = step.from().isEmpty() ? name : step.from() + "/" + name;
                        open.push(new Step(below, step.to() + "/" + name));
                    }
                } else if (found.isRegularFile()) {
                    try (InputStream content = new Counted(found.content())) {
                        int run = found.permissions() & 0111;
                        target.file(step.to(), attributes(found, 0644 | run), content);
                    }
                    files++;
                } else if (must) {
                    throw new IOException("is neither a file nor a directory");
                } else {
                    leftOut++;
                }
            } catch (LinuxException e) {
                if (must || !OF_THE_PATH.contains(e.errno())) {
                    throw e;
                }
                leftOut++;
            }
            must = false;
        }
    }

    private void inTime() throws IOException {
        if (System.nanoTime() - end > 0) {
            throw new IOException("not done within " + DEADLINE);
        }
    }

    private Attributes attributes(ForeignTree.Found found, int mode) {
        return new Attributes(owner.uid(), owner.gid(), mode, found.modified());
    }

    /// Content that counts, and ends the copy at the limit.
    private final class Counted extends FilterInputStream {
        Counted(InputStream in) {
            super(in);
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            int n = super.read(buffer, offset, length);
            bytes += Math.max(0, n);
            inTime();
            if (bytes > most) {
                throw new IOException("more than " + most + " bytes; ask for more or for a part");
            }
            return n;
        }
    }
}
