package dev.glovebox.egress.audit;

import java.nio.file.Path;
import java.time.Duration;

/// Where records are kept, how many, and what happens when none can be.
///
/// @param directory made if missing, with mode 0700
/// @param segmentBytes after which a new file begins, at least 4 KiB
/// @param totalBytes of all files; the oldest go first, the one being written never
/// @param keep age after which a file that is no longer written goes
/// @param passUnrecorded whether connections and requests without a credential go on when no record
///   can be written; what uses a credential never does
public record AuditConfig(
        Path directory, long segmentBytes, long totalBytes, Duration keep, boolean passUnrecorded) {
    private static final long LEAST_SEGMENT = 4096;

    public AuditConfig {
        if (!directory.isAbsolute()) {
            throw new AuditException("audit directory " + directory + " is not absolute");
        }
        if (segmentBytes < LEAST_SEGMENT) {
            throw new AuditException("audit segment is " + segmentBytes + " bytes, least is 4096");
        }
        if (totalBytes < 2 * segmentBytes) {
            throw new AuditException("audit size must hold at least two segments");
        }
        if (!keep.isPositive()) {
            throw new AuditException("audit keep must be longer than nothing");
        }
    }

    /// 16 MiB a file, 1 GiB in all, 90 days, and nothing passes unrecorded.
    public static AuditConfig at(Path directory) {
        return new AuditConfig(
                directory.toAbsolutePath().normalize(),
                16L << 20,
                1L << 30,
                Duration.ofDays(90),
                false);
    }
}
