package dev.glovebox.egress.entry;

import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.Protocol;
import java.util.Optional;

/// One way in which a connection has come to its destination, and how its client is told what
/// becomes of it. All methods are called on the event loop of the connection.
public interface Entry {
    /// Why a rule of this protocol cannot be served this way; empty if it can.
    default Optional<String> fault(Protocol protocol) {
        return Optional.empty();
    }

    /// It goes on. What the rule's protocol needs is put into the pipeline after this.
    void granted();

    /// It does not, which is remembered already.
    void refused(Destination destination, Decision decision);
}
