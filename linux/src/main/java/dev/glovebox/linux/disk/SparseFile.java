package dev.glovebox.linux.disk;

import dev.glovebox.linux.Libc;
import dev.glovebox.linux.LinuxException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// Files that are mostly holes.
public final class SparseFile {
    private static final int O_RDONLY_CLOEXEC_NOFOLLOW = 0x8_0000 | 0x2_0000;
    private static final int SEEK_DATA = 3;
    private static final int SEEK_HOLE = 4;
    private static final int ENXIO = 6;

    private static final MethodHandle LSEEK =
            Libc.handle(
                    "lseek",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT));

    private SparseFile() {}

    /// Copies the data and leaves the holes, as `lseek(2)` tells them apart; the copy has mode
    /// 0600.
    ///
    /// @param source a file that nobody writes to meanwhile
    /// @param target must not be there yet
    /// @throws IOException when reading or writing fails
    public static void copy(Path source, Path target) throws IOException {
        int map = Flock.open(source, O_RDONLY_CLOEXEC_NOFOLLOW);
        try (FileChannel from = FileChannel.open(source, StandardOpenOption.READ);
                FileChannel to =
                        FileChannel.open(
                                target,
                                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                                PosixFilePermissions.asFileAttribute(
                                        PosixFilePermissions.fromString("rw-------")))) {
            long size = from.size();
            long data = seek(map, 0, SEEK_DATA, source);
            while (data >= 0) {
                long hole = seek(map, data, SEEK_HOLE, source);
                for (long at = data; at < hole; ) {
                    to.position(at);
                    at += from.transferTo(at, hole - at, to);
                }
                data = seek(map, hole, SEEK_DATA, source);
            }
            if (to.size() < size) {
                to.write(ByteBuffer.wrap(new byte[1]), size - 1);
            }
        } finally {
            Flock.close(map);
        }
    }

    /// Bytes of data, without the holes.
    public static long dataBytes(Path file) {
        int map = Flock.open(file, O_RDONLY_CLOEXEC_NOFOLLOW);
        try {
            long sum = 0;
            long hole = 0;
            for (long data = seek(map, 0, SEEK_DATA, file);
                    data >= 0;
                    data = seek(map, hole, SEEK_DATA, file)) {
                hole = seek(map, data, SEEK_HOLE, file);
                sum += hole - data;
            }
            return sum;
        } finally {
            Flock.close(map);
        }
    }

    /// @return -1 when there is no more data
    private static long seek(int descriptor, long from, int whence, Path subject) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: no memory is passed.
            long answer = (long) LSEEK.invokeExact(capture, descriptor, from, whence);
            if (answer >= 0) {
                return answer;
            }
            if (Libc.errno(capture) == ENXIO) {
                return -1;
            }
            throw new LinuxException("lseek", Libc.errno(capture), subject.toString());
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
