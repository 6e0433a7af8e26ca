package dev.glovebox.cli;

import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.net.URI;

/// URLs of servers of this process.
final class Urls {
    private Urls() {}

    /// `http://HOST:PORT` of an address that is listened on.
    static URI of(InetSocketAddress address) {
        String host = address.getAddress().getHostAddress();
        return URI.create(
                "http://"
                        + (address.getAddress() instanceof Inet6Address ? "[" + host + "]" : host)
                        + ":"
                        + address.getPort());
    }
}
