package dev.glovebox.protocol.egress;

import java.util.Locale;
import java.util.OptionalInt;

/// What a rule lets through on a connection.
public enum Protocol {
    /// Any bytes.
    TCP(OptionalInt.empty()),
    /// TLS, passed through unread; the ClientHello must name the host that was allowed.
    TLS(OptionalInt.of(443)),
    /// HTTP in the clear, each request judged and written anew.
    HTTP(OptionalInt.of(80)),
    /// HTTP over TLS that ends at the door and begins anew behind it: each request is judged and
    /// written anew.
    HTTPS(OptionalInt.of(443)),
    /// SSH; spoken by the door where a credential is there, else passed through as it stands.
    SSH(OptionalInt.of(22)),
    /// PostgreSQL; spoken by the door where a credential is there, else passed through as it
    /// stands.
    POSTGRES(OptionalInt.of(5432)),
    /// Redis; spoken by the door where a credential is there, else passed through as it stands.
    REDIS(OptionalInt.of(6379));

    private final OptionalInt defaultPort;

    Protocol(OptionalInt defaultPort) {
        this.defaultPort = defaultPort;
    }

    /// The port a rule means if it names none; none for [#TCP].
    public OptionalInt defaultPort() {
        return defaultPort;
    }

    /// As much as can be seen on a port without ending anybody's TLS.
    public static Protocol likelyOn(int port) {
        return switch (port) {
            case 443 -> TLS;
            case 80 -> HTTP;
            default -> TCP;
        };
    }

    /// Whether each request is seen, so that methods, paths and web sockets can be judged.
    public boolean seesRequests() {
        return this == HTTP || this == HTTPS;
    }

    /// The spelling in a policy file.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
