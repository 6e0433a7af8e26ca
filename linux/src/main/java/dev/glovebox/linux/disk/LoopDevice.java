package dev.glovebox.linux.disk;

import dev.glovebox.linux.Errno;
import dev.glovebox.linux.Libc;
import dev.glovebox.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A file of the host as a block device, `loop(4)`, to mount a file system that is in it.
///
/// The device is attached with `LOOP_CONFIGURE` (Linux 5.8) and clears itself
/// (`LO_FLAGS_AUTOCLEAR`) when the last mount of it is gone and nobody has it open: nothing to
/// clean up after a crash.
///
/// **One file, one device.** Two devices over one file would be two file systems that destroy each
/// other. So the open file that the device keeps carries an exclusive `flock(2)` from before the
/// device exists. It is held by the kernel as long as the device is, whoever has died meanwhile.
///
/// Direct I/O past the page cache of the file, where its file system can: else every byte would be
/// cached twice. The kernel falls back by itself.
///
/// All calls here can block: use them on a [KernelThread].
public final class LoopDevice implements AutoCloseable {
    /// Where devices are asked for; without it this kernel, or this container, has none.
    public static final Path CONTROL = Path.of("/dev/loop-control");

    private static final int O_RDWR_CLOEXEC_NOFOLLOW = 2 | 0x8_0000 | 0x2_0000;
    private static final long LOOP_CONFIGURE = 0x4C0A;
    private static final long LOOP_CTL_GET_FREE = 0x4C82;
    private static final int AUTOCLEAR_DIRECT_IO = 4 | 16;
    private static final int BLOCK_BYTES = 4096;
    private static final long CONFIG_BYTES = 304; // struct loop_config of linux/loop.h
    private static final long INFO_OFFSET = 8; // of its struct loop_info64
    private static final long FLAGS_OFFSET = INFO_OFFSET + 52;
    private static final int ATTEMPTS = 64;
    private static final long MS_RDONLY = 1;
    private static final long MS_NOSUID_NODEV = 2 | 4;

    private static final MethodHandle IOCTL =
            Libc.variadic(
                    "ioctl",
                    2,
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS));

    private final Path path;
    private final int descriptor;

    private LoopDevice(Path path, int descriptor) {
        this.path = path;
        this.descriptor = descriptor;
    }

    /// Attaches a file to a free device.
    ///
    /// @param file a regular file and no symbolic link, a multiple of 4,096 bytes long
    /// @return empty when the file is attached already
    /// @throws LinuxException `open` `ENOENT` on [#CONTROL] when there are no loop devices here
    public static Optional<LoopDevice> attach(Path file) {
        int backing = Flock.open(file, O_RDWR_CLOEXEC_NOFOLLOW);
        try {
            return Flock.tryLock(backing, file)
                    ? Optional.of(attach(backing, file))
                    : Optional.empty();
        } finally {
            Flock.close(backing);
        }
    }

    /// The device, such as `/dev/loop7`.
    public Path path() {
        return path;
    }

    /// Mounts the ext4 file system that is on the device, nosuid and nodev.
    ///
    /// @param target an existing directory
    /// @param options of `ext4(5)`
    /// @param readOnly whether nothing can be written there, but what a crash left in the journal
    public void mountExt4(Path target, String options, boolean readOnly) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: all strings live in the arena until after the call.
            Libc.check(
                    (int)
                            Libc.MOUNT.invokeExact(
                                    capture,
                                    arena.allocateFrom(path.toString()),
                                    arena.allocateFrom(target.toString()),
                                    arena.allocateFrom("ext4"),
                                    MS_NOSUID_NODEV | (readOnly ? MS_RDONLY : 0),
                                    arena.allocateFrom(options)),
                    capture,
                    "mount",
                    target);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Lets the device go: it is cleared now, or with its last mount.
    @Override
    public void close() {
        Flock.close(descriptor);
    }

    /// Between the question for a free device and its use somebody else may take it.
    private static LoopDevice attach(int backing, Path file) {
        int control = Flock.open(CONTROL, O_RDWR_CLOEXEC_NOFOLLOW);
        try {
            for (int attempt = 1; true; attempt++) {
                Path path = Path.of("/dev/loop" + ioctl(control, LOOP_CTL_GET_FREE, null, CONTROL));
                int device = Flock.open(path, O_RDWR_CLOEXEC_NOFOLLOW);
                try {
                    configure(device, backing, file);
                    return new LoopDevice(path, device);
                } catch (LinuxException e) {
                    Flock.close(device);
                    if (e.errno() != Errno.EBUSY || attempt == ATTEMPTS) {
                        throw e;
                    }
                }
            }
        } finally {
            Flock.close(control);
        }
    }

    private static void configure(int device, int backing, Path file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment config = arena.allocate(CONFIG_BYTES, 8);
            config.set(ValueLayout.JAVA_INT, 0, backing);
            config.set(ValueLayout.JAVA_INT, 4, BLOCK_BYTES);
            config.set(ValueLayout.JAVA_INT, FLAGS_OFFSET, AUTOCLEAR_DIRECT_IO);
            ioctl(device, LOOP_CONFIGURE, config, file);
        }
    }

    private static int ioctl(
            int descriptor, long request, @Nullable MemorySegment argument, Path subject) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            MemorySegment passed = argument == null ? MemorySegment.NULL : argument;
            // SAFETY: the structure, where there is one, has the size that the request names and
            // lives until after the call.
            return Libc.check(
                    (int) IOCTL.invokeExact(capture, descriptor, request, passed),
                    capture,
                    "ioctl",
                    subject);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
