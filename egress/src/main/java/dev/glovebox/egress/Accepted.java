package dev.glovebox.egress;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;

/// How an accepted connection is set before anything else happens to it.
final class Accepted {
    private Accepted() {}

    static void configure(Channel child) {
        child.config().setOption(ChannelOption.AUTO_READ, false);
        child.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        child.config().setOption(ChannelOption.TCP_NODELAY, true);
    }

    /// Ends a connection that no event loop has taken over.
    static void resetUnregistered(Channel child) {
        child.config().setOption(ChannelOption.SO_LINGER, 0);
        child.unsafe().closeForcibly();
    }
}
