package dev.glovebox.protocol.egress;

/// Where the operator wants an allowed name to be dialled, `HOST:PORT`.
///
/// @param host a name that the worker resolves, or an address
/// @param port 1-65535
public record Endpoint(Host host, int port) {
    public Endpoint {
        new PortRange(port, port);
        if (host instanceof HostName name && name.isLocalhost()) {
            throw new PolicyException("host localhost is ambiguous here, write 127.0.0.1 or [::1]");
        }
    }

    /// Reads `HOST:PORT`, an IPv6 address in brackets.
    ///
    /// @throws PolicyException for any other form
    public static Endpoint parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1 || !text.substring(colon + 1).matches("[1-9][0-9]{0,4}")) {
            throw new PolicyException("endpoint " + Quoted.of(text) + " is not HOST:PORT");
        }
        String host = text.substring(0, colon);
        if (host.contains(":") && !host.startsWith("[")) {
            throw new PolicyException(
                    "endpoint " + Quoted.of(text) + " needs brackets around its IPv6 address");
        }
        return new Endpoint(Host.parse(host), Integer.parseInt(text, colon + 1, text.length(), 10));
    }

    @Override
    public String toString() {
        return Destination.spell(host, port);
    }
}
