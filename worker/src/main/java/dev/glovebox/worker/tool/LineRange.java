package dev.glovebox.worker.tool;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// A run of lines of a file, taken from its bytes as they come.
///
/// Lines are counted from 1 and end with LF only, so a CR stays. At most `limit` bytes are
/// collected, however long a line is.
final class LineRange {
    private final String file;
    private final long first;
    private final long last;
    private final int limit;
    private final ByteArrayOutputStream collected = new ByteArrayOutputStream();
    private long line = 1;

    /// @param last a number of at most 0 means to the end
    LineRange(String file, long first, long last, int limit) {
        this.file = file;
        this.first = first;
        this.last = last;
        this.limit = limit;
    }

    /// The `view_range` of an input: two whole numbers; an empty array counts as none.
    static Optional<long[]> of(ToolInput input) {
        Optional<JsonNode> member = input.member("view_range");
        if (member.isEmpty() || (member.get().isArray() && member.get().isEmpty())) {
            return Optional.empty();
        }
        JsonNode range = member.get();
        if (!range.isArray()
                || range.size() != 2
                || !range.get(0).canConvertToLong()
                || !range.get(1).canConvertToLong()
                || !range.get(0).isIntegralNumber()
                || !range.get(1).isIntegralNumber()) {
            throw new ToolFailure("read: view_range must be [start_line, end_line]");
        }
        return Optional.of(new long[] {range.get(0).longValue(), range.get(1).longValue()});
    }

    /// Whether no further byte can matter.
    boolean complete() {
        return line > end() || end() < start();
    }

    /// Takes the next bytes of the file.
    ///
    /// @throws ToolFailure when the lines are more than the limit
    void take(byte[] bytes, int length) {
        int at = 0;
        while (at < length && !complete()) {
            int feed = at;
            while (feed < length && bytes[feed] != '\n') {
                feed++;
            }
            boolean terminated = feed < length;
            if (line >= start()) {
                collected.write(bytes, at, feed - at);
                if (terminated && line < end()) {
                    collected.write('\n');
                }
                refuseTooMuch();
            }
            line += terminated ? 1 : 0;
            at = feed + 1;
        }
    }

    /// The lines.
    String text() {
        return collected.toString(StandardCharsets.UTF_8);
    }

    private long start() {
        return Math.max(1, first);
    }

    private long end() {
        return last > 0 ? last : Long.MAX_VALUE;
    }

    private void refuseTooMuch() {
        if (collected.size() <= limit) {
            return;
        }
        if (end() == start()) {
            throw new ToolFailure(
                    "read: line "
                            + start()
                            + " of "
                            + file
                            + " alone exceeds "
                            + limit
                            + "-byte limit. The read tool cannot return part of a line, so"
                            + " view_range cannot narrow this further.");
        }
        throw new ToolFailure(
                "read: view_range ["
                        + first
                        + ", "
                        + last
                        + "] of "
                        + file
                        + " exceeds "
                        + limit
                        + "-byte limit. Narrow the view_range to read a smaller portion.");
    }
}
