package dev.glovebox.linux.mount;

import dev.glovebox.linux.Errno;
import dev.glovebox.linux.Libc;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.NamespaceCalls;
import dev.glovebox.linux.UserNamespace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/// Mounts, made in a mount namespace that no one else sees.
///
/// Everything the product mounts for a sandbox is mounted by a [KernelThread] that has first taken
/// a private copy of a mount table ([MountNamespace], [#privateNamespace]). The host's own table is
/// not changed by that, so there is nothing to unmount after a crash: the mounts end with the last
/// process that lives in the copy.
///
/// A bind mount gets its flags from `mount_setattr(2)` (Linux 5.12) before it is attached
/// ([DetachedMount]).
public final class Mounts {
    private static final String CANNOT_SHIFT =
            "on this kernel its file system cannot shift owners; ext4, xfs and btrfs can";
    private static final int CLONE_NEWNS = 0x0002_0000;
    private static final long MS_NOSUID = 2;
    private static final long MS_NODEV = 4;
    private static final long MS_REC = 0x4000;
    private static final long MS_PRIVATE = 1 << 18;
    private static final int MNT_DETACH = 2;

    private static final long NR_OPEN_TREE = 428; // Linux 5.2, the same on every architecture
    static final long NR_MOVE_MOUNT = 429; // Linux 5.2
    private static final long NR_MOUNT_SETATTR = 442; // Linux 5.12
    static final int NOT_SHIFTED = -1;
    private static final long AT_FDCWD = -100;
    private static final long AT_EMPTY_PATH = 0x1000;
    private static final long AT_RECURSIVE = 0x8000;
    private static final long OPEN_TREE_CLONE = 1;
    private static final long OPEN_TREE_CLOEXEC = 0x8_0000;
    static final long MOVE_MOUNT_F_EMPTY_PATH = 4;
    private static final long MOUNT_ATTR_RDONLY = 1;
    private static final long MOUNT_ATTR_NOSUID = 2;
    private static final long MOUNT_ATTR_NODEV = 4;
    private static final long MOUNT_ATTR_IDMAP = 0x10_0000;
    private static final long MOUNT_ATTR_SIZE = 32;
    private static final long POLL_NANOS = 200_000;

    private Mounts() {}

    /// Takes the calling thread into a copy of the mount table that nothing outside sees.
    ///
    /// Only for a thread of [KernelThread]: `unshare(2)` changes the thread for good. Needs
    /// `CAP_SYS_ADMIN`.
    ///
    /// @throws LinuxException when the kernel refuses
    public static void privateNamespace() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: no memory is passed; the calling thread alone changes.
            Libc.check(
                    (int) Libc.UNSHARE.invokeExact(capture, CLONE_NEWNS),
                    capture,
                    "unshare",
                    "mount");
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
        mount("none", Path.of("/"), "none", MS_REC | MS_PRIVATE, "");
    }

    /// Mounts a fresh tmpfs, nosuid and nodev.
    ///
    /// @param target an existing directory
    /// @param options of `tmpfs(5)`, such as `size=16m,mode=1777`
    public static void tmpfs(Path target, String options) {
        mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options);
    }

    /// Mounts an overlay, nosuid and nodev, as what the calling thread is; see [Overlay].
    static void overlay(Path target, String options) {
        mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV, options);
    }

    /// Binds a file or a directory with everything mounted below it, nosuid and nodev.
    ///
    /// @param source what to show; a last symbolic link is followed
    /// @param target an existing file or directory
    /// @param readOnly whether writes through the new mount fail with `EROFS`
    public static void bind(Path source, Path target, boolean readOnly) {
        try (DetachedMount mount = DetachedMount.of(source)) {
            mount.attach(target, readOnly);
        }
    }

    /// Like [#bind(Path, Path, boolean)], with owners shifted into a user namespace.
    ///
    /// A file that is uid 1000 on disk is then uid 1000 of that namespace in the new mount, and
    /// what is written there lands on disk with the ids of the namespace. No file is changed.
    ///
    /// @throws LinuxException `mount_setattr` `EINVAL` if the file system of the source cannot be
    ///   id-mapped
    public static void bindMapped(
            Path source, Path target, boolean readOnly, UserNamespace namespace) {
        try (DetachedMount mount = DetachedMount.of(source)) {
            mount.attachMapped(target, readOnly, namespace);
        }
    }

    /// Makes an attached mount, alone and not what is mounted below it, read-only.
    ///
    /// The kernel refuses that while a file in it is open for writing, and one that the caller has
    /// closed can still be so: a process that another thread was just starting has copies of all
    /// descriptors until its `exec`. So this waits until nobody has one.
    ///
    /// @param deadline how long to wait
    /// @throws LinuxException `mount_setattr` `EBUSY` if it is still in use then
    public static void makeReadOnly(Path target, Duration deadline) {
        long end = System.nanoTime() + deadline.toNanos();
        while (!madeReadOnly(target, System.nanoTime() >= end)) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /// @param last whether to throw also if it is in use
    /// @return false if it is in use
    private static boolean madeReadOnly(Path target, boolean last) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path = arena.allocateFrom(target.toString());
            setAttributes(arena, (int) AT_FDCWD, path, 0, MOUNT_ATTR_RDONLY, NOT_SHIFTED, target);
            return true;
        } catch (LinuxException e) {
            if (e.errno() != Errno.EBUSY || last) {
                throw e;
            }
            return false;
        }
    }

    /// Takes a mount out of the calling thread's mount namespace, also if it is in use.
    public static void detach(Path target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            MemorySegment path = arena.allocateFrom(target.toString());
            // SAFETY: the path lives in the arena until after the call.
            Libc.check(
                    (int) Libc.UMOUNT2.invokeExact(capture, path, MNT_DETACH),
                    capture,
                    "umount2",
                    target);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// A [DetachedMount] with its flags and shift, as a descriptor that the caller closes.
    static int detachedTree(Arena arena, Path source, boolean readOnly, int userNamespace) {
        int tree = openTree(arena, source);
        try {
            restrict(arena, tree, source, readOnly, userNamespace);
            return tree;
        } catch (LinuxException e) {
            NamespaceCalls.close(tree);
            throw e;
        }
    }

    /// Sets the flags of a tree that is not attached.
    ///
    /// @param userNamespace to shift owners into, or [#NOT_SHIFTED]
    static void restrict(Arena arena, int tree, Path source, boolean readOnly, int userNamespace) {
        long set =
                MOUNT_ATTR_NOSUID
                        | MOUNT_ATTR_NODEV
                        | (readOnly ? MOUNT_ATTR_RDONLY : 0)
                        | (userNamespace >= 0 ? MOUNT_ATTR_IDMAP : 0);
        long flags = AT_EMPTY_PATH | AT_RECURSIVE;
        setAttributes(arena, tree, arena.allocateFrom(""), flags, set, userNamespace, source);
    }

    static int openTree(Arena arena, Path source) {
        MemorySegment path = arena.allocateFrom(source.toString());
        long flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
        MemorySegment capture = Libc.errnoCapture(arena);
        // SAFETY: the path lives in the arena until after the call.
        return (int)
                syscall(
                        capture,
                        "open_tree",
                        source,
                        NR_OPEN_TREE,
                        AT_FDCWD,
                        path.address(),
                        flags,
                        0,
                        0);
    }

    static void attach(Arena arena, int tree, Path target) {
        MemorySegment empty = arena.allocateFrom("");
        MemorySegment path = arena.allocateFrom(target.toString());
        MemorySegment capture = Libc.errnoCapture(arena);
        // SAFETY: both strings live in the arena until after the call; the descriptor is open.
        syscall(
                capture,
                "move_mount",
                target,
                NR_MOVE_MOUNT,
                tree,
                empty.address(),
                AT_FDCWD,
                path.address(),
                MOVE_MOUNT_F_EMPTY_PATH);
    }

    private static void setAttributes(
            Arena arena,
            int directory,
            MemorySegment path,
            long flags,
            long set,
            int userNamespace,
            Path subject) {
        // struct mount_attr { u64 attr_set, attr_clr, propagation, userns_fd }
        MemorySegment attributes = arena.allocate(MOUNT_ATTR_SIZE, 8);
        attributes.set(ValueLayout.JAVA_LONG, 0, set);
        attributes.set(ValueLayout.JAVA_LONG, 24, Math.max(userNamespace, 0));
        MemorySegment capture = Libc.errnoCapture(arena);
        // SAFETY: path and structure live in the arena until after the call.
        try {
            syscall(
                    capture,
                    "mount_setattr",
                    subject,
                    NR_MOUNT_SETATTR,
                    directory,
                    path.address(),
                    flags,
                    attributes.address(),
                    MOUNT_ATTR_SIZE);
        } catch (LinuxException e) {
            throw userNamespace >= 0 && e.errno() == Errno.EINVAL
                    ? new LinuxException(
                            "mount_setattr", Errno.EINVAL, subject + " (" + CANNOT_SHIFT + ")")
                    : e;
        }
    }

    private static void mount(String source, Path target, String type, long flags, String options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: all strings live in the arena until after the call.
            int result =
                    (int)
                            Libc.MOUNT.invokeExact(
                                    capture,
                                    arena.allocateFrom(source),
                                    arena.allocateFrom(target.toString()),
                                    arena.allocateFrom(type),
                                    flags,
                                    arena.allocateFrom(options));
            Libc.check(result, capture, "mount", target);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static long syscall(
            MemorySegment capture,
            String name,
            Object subject,
            long number,
            long first,
            long second,
            long third,
            long fourth,
            long fifth) {
        try {
            long result =
                    (long)
                            Libc.SYSCALL.invokeExact(
                                    capture, number, first, second, third, fourth, fifth);
            Libc.check((int) result, capture, name, subject);
            return result;
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
