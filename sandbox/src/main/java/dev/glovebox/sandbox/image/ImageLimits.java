package dev.glovebox.sandbox.image;

import java.time.Duration;

/// How much of a stranger's image is taken before it is refused. What is unpacked is counted as it
/// is written, never as it is declared.
///
/// @param documentBytes longest manifest, index or configuration
/// @param layers most layers of an image
/// @param layerBytes largest layer as the registry has it, compressed
/// @param unpackedBytes all files of an image together
/// @param entries all files, directories and links of an image together
/// @param depth most directories above a file
/// @param ratio most bytes that one compressed byte may become, once a layer is beyond 64 MiB
/// @param deadline longest that a pull may take
public record ImageLimits(
        int documentBytes,
        int layers,
        long layerBytes,
        long unpackedBytes,
        long entries,
        int depth,
        int ratio,
        Duration deadline) {
    private static final long MEBI = 1L << 20;

    /// 4 MiB documents, 127 layers of at most 8 GiB, 32 GiB and 1,000,000 entries unpacked, 100
    /// directories deep, ratio 200, 30 minutes.
    public static final ImageLimits DEFAULT =
            new ImageLimits(
                    4 << 20,
                    127,
                    8192 * MEBI,
                    32_768 * MEBI,
                    1_000_000,
                    100,
                    200,
                    Duration.ofMinutes(30));

    /// Longest path of a file, characters.
    public static final int PATH_LENGTH = 2048;

    /// Below this a high [#ratio] is common: files of zeros.
    public static final long RATIO_FREE_BYTES = 64 * MEBI;

    /// @throws IllegalArgumentException for a limit that is not positive
    public ImageLimits {
        if (documentBytes < 1
                || layers < 1
                || layers > 127
                || layerBytes < 1
                || unpackedBytes < 1
                || entries < 1
                || depth < 1
                || ratio < 1
                || !deadline.isPositive()) {
            throw new IllegalArgumentException(
                    "limits of images must be positive, layers at most 127");
        }
    }
}
