package dev.glovebox.server.http;

import static dev.glovebox.server.access.CredentialKind.API_KEY;
import static dev.glovebox.server.access.CredentialKind.ENVIRONMENT_KEY;
import static dev.glovebox.server.access.CredentialKind.SESSIONS_TOKEN;

import dev.glovebox.server.access.CredentialKind;
import java.util.Set;

/// Which kinds of credential an endpoint takes: the acceptance matrix of the protocol, row by row.
public enum Access {
    /// No credential at all.
    ANYONE(),
    /// Everything that manages: API keys only.
    OWNER(API_KEY),
    /// Listing work: environment keys only.
    WORKER_KEY(ENVIRONMENT_KEY),
    /// Claiming work and looking at its queue.
    OWNER_OR_WORKER_KEY(API_KEY, ENVIRONMENT_KEY),
    /// Everything a worker does for one item.
    ALL(API_KEY, ENVIRONMENT_KEY, SESSIONS_TOKEN);

    @SuppressWarnings("ImmutableEnumChecker") // Set.of is immutable
    private final Set<CredentialKind> kinds;

    Access(CredentialKind... kinds) {
        this.kinds = Set.of(kinds);
    }

    boolean needsCredential() {
        return !kinds.isEmpty();
    }

    boolean accepts(CredentialKind kind) {
        return kinds.contains(kind);
    }
}
