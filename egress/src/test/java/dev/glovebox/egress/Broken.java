package dev.glovebox.egress;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/// Bytes broken at random from fixed seeds.
public final class Broken {
    private static final int CASES = 20_000;

    private Broken() {}

    /// Gives every broken form to the reader; what the reader throws tells the seed.
    public static void each(byte[] whole, Consumer<byte[]> reader) {
        for (int seed = 0; seed < CASES; seed++) {
            byte[] bytes = mutated(whole, new SplittableRandom(seed));
            try {
                reader.accept(bytes);
            } catch (RuntimeException | AssertionError | StackOverflowError e) {
                throw new AssertionError(
                        "seed " + seed + ": " + HexFormat.of().formatHex(bytes), e);
            }
        }
    }

    /// One to four of: a byte changed, a piece cut out, a piece doubled, the end cut off.
    private static byte[] mutated(byte[] whole, SplittableRandom random) {
        byte[] bytes = whole.clone();
        for (int i = random.nextInt(1, 5); i > 0 && bytes.length > 0; i--) {
            int at = random.nextInt(bytes.length);
            int end = random.nextInt(at, bytes.length);
            switch (random.nextInt(5)) {
                case 0, 1 -> bytes[at] = (byte) random.nextInt(256);
                case 2 -> bytes = joined(Arrays.copyOf(bytes, at), bytes, end);
                case 3 -> bytes = joined(Arrays.copyOf(bytes, end), bytes, at);
                default -> bytes = Arrays.copyOf(bytes, at);
            }
        }
        return bytes;
    }

    private static byte[] joined(byte[] first, byte[] second, int from) {
        return ByteBuffer.allocate(first.length + second.length - from)
                .put(first)
                .put(second, from, second.length - from)
                .array();
    }
}
