package dev.glovebox.egress.onward;

import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressRule;
import io.netty.channel.Channel;

/// A connection that a rule allows and that is to be made for a sandbox. Its methods are called on
/// the event loop of the client.
public interface Errand {
    /// The connection that the sandbox made.
    Channel client();

    /// What it means, canonical.
    Destination destination();

    /// The rule that allows it.
    EgressRule rule();

    /// Makes the upstream end with the door.
    void track(Channel upstream);

    /// Remembers that nothing came of it.
    void failed(Failure failure);
}
