package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.worker.shell.Cancellation;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;

/// `read`: the text of a file, or some of its lines. Bytes that are no UTF-8 appear as U+FFFD.
final class ReadTool implements Tool {
    private static final int CHUNK = 256 * 1024;

    /// For a file without line ends, which can be larger than anything that could be read.
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final Guest guest;
    private final PathPolicy paths;
    private final int limit;

    ReadTool(Guest guest, PathPolicy paths, ToolLimits limits) {
        this.guest = guest;
        this.paths = paths;
        this.limit = limits.maxFileBytes();
    }

    @Override
    public String name() {
        return "read";
    }

    @Override
    public ToolResult run(ToolInput input, Cancellation cancellation) {
        String named = input.required("file_path");
        String path = paths.resolve(named);
        Optional<long[]> range = LineRange.of(input);
        WholeFile file = WholeFile.at(guest, path, name(), named);
        if (range.isEmpty()) {
            return ToolResult.ok(whole(file, named));
        }
        long[] ends = range.get();
        LineRange lines = new LineRange(named, ends[0], ends[1], limit);
        return ToolResult.ok(lines(path, named, lines, cancellation));
    }

    private String whole(WholeFile file, String named) {
        if (file.size() > limit) {
            throw new ToolFailure(
                    file.tooLarge("read", named, limit)
                            + "Use the view_range parameter to read specific line ranges, e.g."
                            + " view_range: [1, 500].");
        }
        return new String(file.read(guest, limit, name(), named), StandardCharsets.UTF_8);
    }

    private String lines(String path, String named, LineRange lines, Cancellation cancellation) {
        long offset = 0;
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        try {
            while (!lines.complete()) {
                byte[] chunk = guest.read(path, offset, CHUNK);
                lines.take(chunk, chunk.length);
                offset += chunk.length;
                if (chunk.length < CHUNK) {
                    break;
                }
                if (cancellation.cancelled()) {
                    throw new ToolFailure("read: interrupted");
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new ToolFailure("read: timed out after " + TIMEOUT.toSeconds() + "s");
                }
            }
        } catch (GuestException e) {
            throw new ToolFailure("read: " + FileErrors.text(e, named));
        }
        return lines.text();
    }
}
