package dev.glovebox.egress.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import java.time.Duration;
import java.util.function.Consumer;

/// One allowed connection, as the machine of a protocol sees it that logs in for the sandbox.
///
/// All methods are called on the event loop of the client's channel.
public interface Wire {
    /// The connection that the sandbox made; it reads only when told to.
    Channel client();

    /// What it means, `HOST:PORT`, canonical.
    String destination();

    /// Name of the rule that allowed it.
    String rule();

    /// How long a side may take for one step of a login.
    Duration patience();

    /// Whether the rule takes its credential in the clear; otherwise [#secure] comes before it.
    boolean clear();

    /// Connects to the upstream. Exactly one of the two is called, on the event loop; the channel
    /// given is not reading, and ends with the client's. A failure is remembered already.
    void dial(Consumer<Channel> connected, Consumer<String> failed);

    /// Begins TLS as a client, the server's certificate verified against the name that was dialled.
    /// Exactly one of the two is called, on the event loop.
    void secure(Channel upstream, Runnable done, Consumer<String> failed);

    /// Lets every further byte pass in both directions.
    ///
    /// @param judge the handler of the client's channel that gives way
    void relay(Channel upstream, ChannelHandler judge);

    /// Remembers that something was refused.
    void denied(String reason);

    /// Closes the connection with a reset, and so the upstream.
    void reset();
}
