package dev.glovebox.egress.wire;

import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;

/// How much is read from a connection at a time: what the last reads were filled with, up to 256
/// KiB, since each read of a stream of many bytes costs a system call and a write of its own.
public final class ReadSizes {
    private static final int LEAST = 64;
    private static final int FIRST = 2048;
    private static final int MOST = 256 * 1024;

    /// Reads of one connection before it is another's turn, where reading is not by hand.
    private static final int IN_A_ROW = 4;

    private static final RecvByteBufAllocator ALL =
            new AdaptiveRecvByteBufAllocator(LEAST, FIRST, MOST).maxMessagesPerRead(IN_A_ROW);

    private ReadSizes() {}

    /// For every connection.
    public static RecvByteBufAllocator adaptive() {
        return ALL;
    }
}
