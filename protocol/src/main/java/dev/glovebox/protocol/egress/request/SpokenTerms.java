package dev.glovebox.protocol.egress.request;

import dev.glovebox.protocol.egress.Protocol;
import java.util.Optional;
import java.util.Set;

/// What `methods` and `paths` mean where the door speaks a protocol that is not HTTP, because it
/// logs in there:
///
/// - `ssh`: methods are `FETCH` and `PUSH` of git and `EXEC` for any other command; without any,
///   `FETCH`. Paths are those of repositories.
/// - `postgres`: the path is the database, `/NAME`.
/// - `redis`: methods are commands.
final class SpokenTerms {
    private static final Set<String> GIT = Set.of("FETCH", "PUSH", "EXEC");

    private SpokenTerms() {}

    /// Why the terms have no meaning on connections of the protocol; empty if they have.
    static Optional<String> fault(Protocol protocol, RequestTerms terms) {
        if (terms.webSocket()) {
            return Optional.of("websocket needs protocol http or https");
        }
        return switch (protocol) {
            case SSH ->
                    GIT.containsAll(terms.methods())
                            ? Optional.empty()
                            : Optional.of("methods of ssh are FETCH, PUSH and EXEC");
            case POSTGRES ->
                    terms.methods().isEmpty()
                            ? Optional.empty()
                            : Optional.of("postgres has no methods; paths are databases, /NAME");
            case REDIS ->
                    terms.paths().isEmpty()
                            ? Optional.empty()
                            : Optional.of("redis has no paths; methods are commands");
            case TCP, TLS, HTTP, HTTPS -> Optional.of(protocol.text() + " is not logged in to");
        };
    }
}
