package dev.glovebox.linux.mount;

import dev.glovebox.linux.Errno;
import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.Libc;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.NamespaceCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;

/// A mount namespace with few mounts in it, held open, of which copies are taken.
///
/// Copying a mount table costs the kernel time for each mount in it, and so does leaving the copy
/// behind, and an OCI runtime does both once more. On a host with a mount for each of a thousand
/// workspaces and network namespaces that is milliseconds at every start. A copy of *this* costs
/// the same whatever the host has mounted, and holds no file system of the host in use that was not
/// asked for.
///
/// What is mounted on the host later is not in it. A thread that goes in takes what it needs from
/// there along, as a [DetachedMount] or a [HeldFile].
public final class MountNamespace implements AutoCloseable {
    private static final int CLONE_FS = 0x200;
    private static final int CLONE_NEWNS = 0x0002_0000;

    private final int descriptor;

    private MountNamespace(int descriptor) {
        this.descriptor = descriptor;
    }

    /// Makes one of those mounts of the host that are to be kept.
    ///
    /// A mount that is kept keeps what it is mounted on. One that cannot be taken off stays: a kept
    /// one lies below it, or it came from a user namespace above (*locked*, `mount_namespaces(7)`).
    ///
    /// @throws LinuxException when the kernel refuses; needs `CAP_SYS_ADMIN`
    public static MountNamespace of(Predicate<MountInfo> kept) {
        return KernelThread.call(
                "mount-namespace",
                () -> {
                    Mounts.privateNamespace();
                    List<MountInfo> mounts = MountInfo.ofThisThread();
                    for (MountInfo mount : mounts.reversed()) {
                        if (!kept.test(mount) && carriesNone(mount, mounts, kept)) {
                            detachUnlessLocked(Path.of(mount.target()));
                        }
                    }
                    return new MountNamespace(NamespaceCalls.open("/proc/thread-self/ns/mnt"));
                });
    }

    /// A mount whose place somebody has just removed on the host is gone in every copy.
    private static void detachUnlessLocked(Path target) {
        try {
            Mounts.detach(target);
        } catch (LinuxException e) {
            if (e.errno() != Errno.EINVAL && e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
    }

    private static boolean carriesNone(
            MountInfo mount, List<MountInfo> mounts, Predicate<MountInfo> kept) {
        String below = mount.target().endsWith("/") ? mount.target() : mount.target() + "/";
        return mounts.stream()
                .filter(kept)
                .noneMatch(each ->
                        each.target().equals(mount.target()) || each.target().startsWith(below));
    }

    /// Takes the calling thread into a copy that nothing outside sees.
    ///
    /// Only for a thread of [KernelThread]: it is changed for good. Paths mean what they mean here
    /// from then on, for the JVM too.
    ///
    /// @throws LinuxException when the kernel refuses
    public void enterCopy() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: no memory is passed; the calling thread alone changes.
            Libc.check((int) Libc.UNSHARE.invokeExact(capture, CLONE_FS), capture, "unshare", "fs");
            Libc.check(
                    (int) Libc.SETNS.invokeExact(capture, descriptor, CLONE_NEWNS),
                    capture,
                    "setns",
                    "mount");
            Libc.check(
                    (int) Libc.UNSHARE.invokeExact(capture, CLONE_NEWNS),
                    capture,
                    "unshare",
                    "mount");
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Lets it go; copies stay.
    @Override
    public void close() {
        NamespaceCalls.close(descriptor);
    }
}
