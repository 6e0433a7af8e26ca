package dev.glovebox.worker.tool;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/// What this process, the worker in these tests, has in memory.
///
/// Two measures, since neither says all. *Live* is the heap right after a collection and all direct
/// buffers: what the worker keeps, at any moment it is asked for, to some 100 KiB. *Anonymous* is
/// what the kernel has given the process for heap, buffers, stacks, code and native memory: it
/// holds garbage too, up to the size the JVM lets the heap have, so it is bounded more loosely.
final class Memory {
    /// The promise: what a flood, a bomb or a hog may add to what is live.
    static final long WITHIN = 2L << 20;

    /// What one may add to what the kernel has given.
    static final long ANONYMOUS_WITHIN = 32L << 20;

    private Memory() {}

    static long live() {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        long heap = runtime.totalMemory() - runtime.freeMemory();
        return heap
                + ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                        .mapToLong(BufferPoolMXBean::getMemoryUsed)
                        .sum();
    }

    static long anonymous() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("RssAnon:"))
                    .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
