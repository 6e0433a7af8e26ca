package dev.glovebox.protocol.egress;

/// Where a connection wants to go, canonical. Made once, by the door; nothing downstream sees the
/// client's spelling.
///
/// @param host the name or address meant
/// @param port 1-65535
public record Destination(Host host, int port) {
    public Destination {
        new PortRange(port, port);
    }

    static String spell(Host host, int port) {
        boolean six = host.text().contains(":");
        return (six ? "[" + host.text() + "]" : host.text()) + ":" + port;
    }

    /// `HOST:PORT`, an IPv6 address in brackets.
    @Override
    public String toString() {
        return spell(host, port);
    }
}
