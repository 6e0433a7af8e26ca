package dev.glovebox.worker.shell;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/// The output of one command, taken in as it comes, of which only the end is kept.
///
/// The end of the output is a mark that the shell prints after the command: the nonce of this call,
/// the exit code in digits, a line feed. What follows the nonce and is no number, such as the echo
/// of `set -x`, is output like any other. Memory is bounded by a few times the limit, whatever
/// comes.
final class CommandOutput {
    private static final int MAX_DIGITS = 10;

    private final byte[] nonce;
    private final int limit;
    private final int[] skip = new int[256];
    private byte[] kept = new byte[8 * 1024];
    private int size;
    private int scanned;
    private long dropped;
    private int markStart = -1;
    private int markEnd = -1;
    private int exitCode = -1;

    /// @param limit bytes that are kept, the mark included
    CommandOutput(String nonce, int limit) {
        this.limit = limit;
        this.nonce = nonce.getBytes(StandardCharsets.US_ASCII);
        Arrays.fill(skip, this.nonce.length);
        for (int i = 0; i < this.nonce.length - 1; i++) {
            skip[this.nonce[i] & 0xff] = this.nonce.length - 1 - i;
        }
    }

    /// Takes more output; what comes after the mark is dropped.
    ///
    /// @return whether the mark is there and the command therefore over
    boolean append(byte[] bytes, int length) {
        int offset = 0;
        while (markEnd < 0 && offset < length) {
            int count = Math.min(length - offset, makeRoom(length - offset));
            System.arraycopy(bytes, offset, kept, size, count);
            size += count;
            offset += count;
            scan();
        }
        return markEnd >= 0;
    }

    /// What the command returned; -1 while it runs.
    int exitCode() {
        return exitCode;
    }

    /// The output without its mark, terminal escapes and last line feeds.
    String text() {
        int end = markStart < 0 ? size : markStart;
        int total = markEnd < 0 ? size : markEnd;
        int start = Math.max(0, total - limit);
        boolean cut = dropped > 0 || start > 0;
        while (cut && start < end && (kept[start] & 0xc0) == 0x80) {
            start++;
        }
        String text = new String(kept, start, Math.max(0, end - start), StandardCharsets.UTF_8);
        String clean = AnsiText.strip(text);
        int last = clean.length();
        while (last > 0 && clean.charAt(last - 1) == '\n') {
            last--;
        }
        String shown = clean.substring(0, last);
        return cut ? truncated(end - start, dropped + end) + shown : shown;
    }

    private static String truncated(int last, long all) {
        return String.format(
                Locale.ROOT,
                "[output truncated] the last %d of %d bytes follow\n",
                Math.max(0, last),
                all);
    }

    private int capacity() {
        return Math.max(kept.length, 4 * limit);
    }

    /// Room for at least one byte, at the cost of all but the last bytes.
    private int makeRoom(int wanted) {
        if (kept.length - size < wanted && kept.length < capacity()) {
            int needed = (int) Math.min((long) size + wanted, capacity());
            kept = Arrays.copyOf(kept, Math.min(capacity(), Math.max(needed, kept.length * 2)));
        }
        if (size == kept.length) {
            int drop = size - limit;
            System.arraycopy(kept, drop, kept, 0, limit);
            size = limit;
            scanned = Math.max(0, scanned - drop);
            dropped += drop;
        }
        return kept.length - size;
    }

    private void scan() {
        int at = indexOf(scanned);
        while (at >= 0) {
            int end = at + nonce.length;
            while (end < size && end - at - nonce.length <= MAX_DIGITS && isDigit(kept[end])) {
                end++;
            }
            if (end == size) {
                scanned = at;
                return;
            }
            int digits = at + nonce.length;
            if (kept[end] == '\n' && end > digits && end - digits <= MAX_DIGITS) {
                markStart = at;
                markEnd = end + 1;
                exitCode =
                        (int)
                                Long.parseLong(
                                        new String(
                                                kept,
                                                digits,
                                                end - digits,
                                                StandardCharsets.US_ASCII));
                return;
            }
            at = indexOf(at + 1);
        }
        scanned = Math.max(scanned, size - nonce.length + 1);
    }

    /// Horspool's search: most bytes are never looked at.
    private int indexOf(int from) {
        int at = Math.max(0, from);
        while (at <= size - nonce.length) {
            if (Arrays.equals(kept, at, at + nonce.length, nonce, 0, nonce.length)) {
                return at;
            }
            at += skip[kept[at + nonce.length - 1] & 0xff];
        }
        return -1;
    }

    private static boolean isDigit(byte b) {
        return b >= '0' && b <= '9';
    }
}
