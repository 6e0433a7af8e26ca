package dev.glovebox.egress.http;

import io.netty.channel.ChannelHandler;
import io.netty.handler.codec.http.HttpRequest;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A credential as requests get it: one value of its secret, and the way it is put on.
///
/// Two injections are equal if they put the same value on in the same way, so one may be part of
/// the key of a pool: a connection that was made for the old value is not used for the new one.
public interface Injection {
    /// Names of headers, in lower case with `-` for `_`, that the client's request loses before
    /// [#project].
    Set<String> replaced();

    /// Puts the credential on the head of a request, which is otherwise as it will be sent.
    ///
    /// @param secure whether it will be sent in TLS
    /// @return why it must not be sent; then it must not be used any more
    Optional<HttpMessages.Fault> project(HttpRequest sent, boolean secure);

    /// A handler for the upstream of one request, put before the codec: it works on the body. What
    /// it finds wrong later comes out as a user event [HttpMessages.Fault].
    ChannelHandler handler(HttpRequest sent);

    /// What must not come back; empty if nothing can.
    Optional<EchoGuard.Forms> echoes();

    /// The certificate to show to the server.
    Optional<Identity> identity();

    /// A key and the certificates that go with it.
    ///
    /// @param key of the first certificate
    /// @param chain the first is the client's own
    record Identity(PrivateKey key, List<X509Certificate> chain) {
        public Identity {
            chain = List.copyOf(chain);
        }

        @Override
        public String toString() {
            return "[identity]";
        }
    }
}
