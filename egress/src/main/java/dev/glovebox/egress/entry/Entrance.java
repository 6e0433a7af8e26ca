package dev.glovebox.egress.entry;

import dev.glovebox.protocol.egress.Host;
import java.time.Duration;

/// The door, as a proxy protocol sees it in which the client says where it wants to go. One
/// connection has one destination. All methods are called on the event loop of the connection.
public interface Entrance {
    /// Goes on as if the client had dialled the host itself: the same decision, the same record,
    /// the same handlers. One method of the entry is called, now or later, unless the connection
    /// ends before.
    ///
    /// @param port 1-65535
    void enter(Host host, int port, Entry entry);

    /// Remembers that something was asked for that is no destination.
    void denied(String reason);

    /// How long a client may take to say where it wants to go.
    Duration patience();

    /// Whom a refused client is told to ask.
    String contact();

    /// Longest head of a request.
    int headerBytes();

    /// Closes the connection with a reset.
    void reset();
}
