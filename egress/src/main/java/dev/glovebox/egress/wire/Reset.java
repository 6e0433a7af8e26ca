package dev.glovebox.egress.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelOption;

/// The end of a connection that is an error and looks like one.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Reset {
    private Reset() {}

    /// Closes with RST instead of FIN (`SO_LINGER` 0, socket(7)), so that the client sees an error
    /// and not an empty answer.
    public static void send(Channel channel) {
        try {
            channel.config().setOption(ChannelOption.SO_LINGER, 0);
        } catch (ChannelException e) {
            // closed already, which is as good
        }
        channel.close();
    }
}
