package dev.glovebox.protocol.egress;

import java.util.Locale;
import java.util.OptionalInt;

/// What a rule lets through on a connection.
public enum Protocol {
    /// Any bytes.
    TCP(OptionalInt.empty()),
    /// TLS, passed through unread; the ClientHello must name the host that was allowed.
    TLS(OptionalInt.of(443)),
    /// HTTP/1.1 in the clear, each request judged and written anew.
    HTTP(OptionalInt.of(80));

    private final OptionalInt defaultPort;

    Protocol(OptionalInt defaultPort) {
        this.defaultPort = defaultPort;
    }

    /// The port a rule means if it names none; none for [#TCP].
    OptionalInt defaultPort() {
        return defaultPort;
    }

    /// The spelling in a policy file.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
