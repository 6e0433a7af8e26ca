package dev.glovebox.linux.mount;

import dev.glovebox.linux.Errno;
import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.Libc;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.NamespaceCalls;
import dev.glovebox.linux.Openat2;
import dev.glovebox.linux.UserNamespace;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Directories of the host put into the mount namespace of a sandbox that runs already.
///
/// How. The mount is made in the host's namespace, detached, with its flags and its shift of owners
/// ([Mounts]), so nothing of it is ever visible with others. A [KernelThread] then goes into the
/// sandbox's namespace and attaches it. To enter another mount namespace a thread must share
/// neither root nor working directory with other threads, `setns(2)`, so it unshares those first.
///
/// The target must be a real directory on the very mount that is the root: it is opened by
/// `openat2(2)` (Linux 5.6) from there, and a symbolic link on the way, or a mount, fails.
///
/// While the thread is inside, paths mean files of the sandbox, for the JVM too. So nothing is done
/// there but system calls whose arguments are ready, and the first use *rehearses* the same code in
/// the host's own namespace: whatever classes it needs are loaded then, from the host's files.
public final class LateMounts {
    private static final int CLONE_FS = 0x200;
    private static final int CLONE_NEWNS = 0x0002_0000;
    private static final long MOVE_MOUNT_T_EMPTY_PATH = 0x40;
    private static final int NO_TREE = -1;

    private static boolean rehearsed;

    private LateMounts() {}

    /// A directory to show inside.
    ///
    /// @param source an existing directory of the host, of ids of the sandbox
    /// @param target absolute path of an existing directory inside
    /// @param readOnly whether writes fail with `EROFS`
    public record Entry(Path source, String target, boolean readOnly) {
        /// @throws IllegalArgumentException if the target is not below the root
        public Entry {
            if (!target.startsWith("/") || target.length() < 2) {
                throw new IllegalArgumentException("not a path below the root: " + target);
            }
        }
    }

    /// Attaches them in this order, nosuid and nodev, owners shifted into the user namespace.
    ///
    /// @param pid of a process in the namespace, as this process sees it
    /// @param namespace what `/proc/PID/ns/mnt` of it reads, such as `mnt:[4026532300]`, so that no
    ///   process that got the pid later is met
    /// @throws LinuxException naming the step; entries before the one that failed stay attached
    public static void attach(int pid, String namespace, List<Entry> entries, UserNamespace ids) {
        KernelThread.call(
                "late-mount",
                () -> {
                    rehearse();
                    attachHere(pid, namespace, entries, ids);
                    return true;
                });
    }

    private static synchronized void rehearse() {
        if (rehearsed) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            int home = NamespaceCalls.open("/proc/thread-self/ns/mnt");
            // There is no tree, so the last step fails as it should.
            rehearsed = new Call(arena, List.of("/.")).within(home, home, List.of(NO_TREE)) != 0;
            NamespaceCalls.close(home);
        }
    }

    private static void attachHere(
            int pid, String namespace, List<Entry> entries, UserNamespace ids) throws IOException {
        List<Integer> open = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            int home = NamespaceCalls.open("/proc/thread-self/ns/mnt");
            open.add(home);
            int inside = NamespaceCalls.open("/proc/" + pid + "/ns/mnt");
            open.add(inside);
            Path link = Files.readSymbolicLink(Path.of("/proc/self/fd/" + inside));
            if (!link.toString().equals(namespace)) {
                throw new LinuxException("setns", Errno.ESRCH, namespace + ", met " + link);
            }
            List<Integer> trees = new ArrayList<>();
            for (Entry entry : entries) {
                int tree =
                        Mounts.detachedTree(
                                arena, entry.source(), entry.readOnly(), ids.descriptor());
                trees.add(tree);
                open.add(tree);
            }
            Call call = new Call(arena, entries.stream().map(Entry::target).toList());
            int errno = call.within(inside, home, trees);
            if (errno != 0) {
                throw new LinuxException(call.step, errno, "mount into a running sandbox");
            }
        } finally {
            open.forEach(NamespaceCalls::close);
        }
    }

    /// The system calls of one visit, with all they need made ready outside.
    private static final class Call {
        private final MemorySegment capture;
        private final MemorySegment slash;
        private final MemorySegment empty;
        private final MemorySegment how;
        private final List<MemorySegment> targets;
        private String step = "";

        Call(Arena arena, List<String> targets) {
            capture = Libc.errnoCapture(arena);
            slash = arena.allocateFrom("/");
            empty = arena.allocateFrom("");
            how =
                    Openat2.how(
                            arena,
                            Openat2.O_PATH | Openat2.O_DIRECTORY | Openat2.O_CLOEXEC,
                            0,
                            Openat2.CONFINED);
            this.targets =
                    targets.stream().map(each -> arena.allocateFrom(each.substring(1))).toList();
        }

        /// Goes in, attaches, and comes back.
        ///
        /// @return 0, or the errno of what failed, [#step] saying what it was
        int within(int inside, int home, List<Integer> trees) {
            try {
                step = "unshare";
                // SAFETY: no memory is passed; the calling thread alone changes.
                if ((int) Libc.UNSHARE.invokeExact(capture, CLONE_FS) < 0) {
                    return Libc.errno(capture);
                }
                step = "setns";
                if ((int) Libc.SETNS.invokeExact(capture, inside, CLONE_NEWNS) < 0) {
                    return Libc.errno(capture);
                }
                int failed = attachAll(trees);
                // The thread ends next; if it cannot go back, nobody else is affected.
                int _ = (int) Libc.SETNS.invokeExact(capture, home, CLONE_NEWNS);
                return failed;
            } catch (Throwable e) {
                throw Libc.rethrown(e);
            }
        }

        private int attachAll(List<Integer> trees) throws Throwable {
            step = "open";
            int root =
                    (int) Libc.OPEN.invokeExact(capture, slash, Openat2.O_PATH | Openat2.O_CLOEXEC);
            if (root < 0) {
                return Libc.errno(capture);
            }
            int failed = 0;
            for (int i = 0; i < trees.size() && failed == 0; i++) {
                failed = attach(root, targets.get(i), trees.get(i));
            }
            int _ = (int) Libc.CLOSE.invokeExact(capture, root);
            return failed;
        }

        /// SAFETY: all segments live in the arena of the caller; the descriptors are open.
        private int attach(int root, MemorySegment target, int tree) throws Throwable {
            step = "openat2";
            int directory = Openat2.open(capture, root, target, how);
            if (directory < 0) {
                return Libc.errno(capture);
            }
            step = "move_mount";
            long moved =
                    (long)
                            Libc.SYSCALL.invokeExact(
                                    capture,
                                    Mounts.NR_MOVE_MOUNT,
                                    (long) tree,
                                    empty.address(),
                                    (long) directory,
                                    empty.address(),
                                    Mounts.MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
            int errno = moved < 0 ? Libc.errno(capture) : 0;
            int _ = (int) Libc.CLOSE.invokeExact(capture, directory);
            return errno;
        }
    }
}
