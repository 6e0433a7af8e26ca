package dev.glovebox.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// On which processors a thread may run, `sched_setaffinity(2)`.
public final class Affinity {
    private static final MethodHandle SET =
            Libc.handle(
                    "sched_setaffinity",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS));
    private static final String LIST = "Cpus_allowed_list:";

    private Affinity() {}

    /// The processors that this process may run on, by their numbers.
    public static List<Integer> allowed() {
        Path status = Path.of("/proc/self/status");
        try {
            return Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith(LIST))
                    .findFirst()
                    .map(line -> parse(line.substring(LIST.length()).strip()))
                    .orElse(List.of());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + status, e);
        }
    }

    /// Reads a list as the kernel writes it, such as `0-3,8`.
    static List<Integer> parse(String list) {
        List<Integer> processors = new ArrayList<>();
        for (String range : list.split(",", -1)) {
            String[] ends = range.split("-", 2);
            int last = Integer.parseInt(ends[ends.length - 1]);
            for (int one = Integer.parseInt(ends[0]); one <= last; one++) {
                processors.add(one);
            }
        }
        return List.copyOf(processors);
    }

    /// Has the calling thread run on one processor and no other, from now on. Only for a platform
    /// thread of the caller's own.
    ///
    /// @throws LinuxException if it may not run there
    public static void pin(int processor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            long words = processor / Long.SIZE + 1L;
            MemorySegment mask = arena.allocate(ValueLayout.JAVA_LONG, words);
            mask.setAtIndex(
                    ValueLayout.JAVA_LONG, processor / Long.SIZE, 1L << (processor % Long.SIZE));
            // SAFETY: the mask has the length passed and lives until after the call.
            int result = (int) SET.invokeExact(capture, 0, words * Long.BYTES, mask);
            Libc.check(result, capture, "sched_setaffinity", "processor " + processor);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
