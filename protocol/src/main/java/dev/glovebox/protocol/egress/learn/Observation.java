package dev.glovebox.protocol.egress.learn;

import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import java.util.Comparator;
import java.util.Locale;

/// Something that a sandbox did, or was refused, as far as a rule can speak of it.
public sealed interface Observation {
    /// One order, so that the same records make the same proposal.
    Comparator<Observation> ORDER =
            Comparator.comparing((Observation one) -> one.to().host().text())
                    .thenComparingInt(one -> one.to().port())
                    .thenComparing(Observation::words);

    /// Where it went or would have gone.
    Destination to();

    private String words() {
        return switch (this) {
            case Connection(Destination _, Protocol protocol) -> protocol.text();
            case Request(Destination _, Protocol protocol, String method, CanonicalPath path) ->
                    protocol.text() + " " + method + " " + path.path();
            case Name _ -> "";
        };
    }

    /// A connection.
    ///
    /// @param protocol as much of it as was seen
    record Connection(Destination to, Protocol protocol) implements Observation {}

    /// A request, not one that becomes a web socket.
    ///
    /// @param protocol `http` or `https`
    /// @param path the query does not matter
    record Request(Destination to, Protocol protocol, String method, CanonicalPath path)
            implements Observation {
        public Request {
            if (!protocol.seesRequests()) {
                throw new IllegalArgumentException(protocol + " sees no requests");
            }
        }
    }

    /// A name that was refused when it was looked up, so that nobody knows what it was wanted for:
    /// [#to] is a guess.
    record Name(Destination to) implements Observation {}

    /// For people.
    default String text() {
        return to() + (words().isEmpty() ? "" : " " + words().toLowerCase(Locale.ROOT));
    }
}
