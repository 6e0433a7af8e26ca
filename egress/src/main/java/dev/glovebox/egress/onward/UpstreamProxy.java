package dev.glovebox.egress.onward;

import dev.glovebox.egress.EgressException;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.credential.Source;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/// A proxy outside that the worker dials through, as the operator says.
///
/// @param kind what is spoken to it
/// @param address where it is; the operator's word, so it may be any address
/// @param login how the worker proves itself to it
/// @param resolve who finds the addresses of names
/// @param direct what is dialled past it; at most 256
public record UpstreamProxy(
        Kind kind,
        Endpoint address,
        Optional<Login> login,
        Resolve resolve,
        List<HostPattern> direct) {
    private static final int MAX_DIRECT = 256;

    /// What is spoken to a proxy.
    public enum Kind {
        /// `CONNECT` of HTTP/1.1, in the clear.
        HTTP,
        /// The same in TLS, the proxy's certificate verified.
        HTTPS,
        /// SOCKS version 5 (RFC 1928).
        SOCKS5
    }

    /// Who finds the addresses of names.
    public enum Resolve {
        /// The worker, which judges them; the proxy is given an address that was judged.
        WORKER,
        /// The proxy, which is given the name: what it leads to is not judged by the worker.
        PROXY
    }

    /// User and password (RFC 7617, RFC 1929).
    ///
    /// @param user without a colon, at most 255 bytes
    /// @param password where it is found
    public record Login(String user, Source password) {
        private static final int MAX_BYTES = 255;

        public Login {
            if (user.isEmpty()
                    || user.contains(":")
                    || user.chars().anyMatch(Character::isISOControl)
                    || user.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
                throw new EgressException(
                        "a proxy's user is 1-255 bytes without colons or control characters");
            }
            if (!(password instanceof Source.File || password instanceof Source.Environment)) {
                throw new EgressException("a proxy's password comes from a file or a variable");
            }
        }
    }

    public UpstreamProxy {
        direct = List.copyOf(direct);
        if (direct.size() > MAX_DIRECT) {
            throw new EgressException("more than " + MAX_DIRECT + " hosts are direct");
        }
    }

    /// Whether the host is dialled past the proxy whatever its addresses are.
    boolean isDirect(Host host) {
        return direct.stream().anyMatch(pattern -> pattern.matches(host));
    }

    /// Whether the address is dialled past the proxy.
    boolean isDirect(InetAddress found) {
        return isDirect(new HostAddress(Line.nameless(found)));
    }

    /// Whether the proxy is given the name instead of an address.
    boolean takesNames() {
        return resolve == Resolve.PROXY;
    }
}
