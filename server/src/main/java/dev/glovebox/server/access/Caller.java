package dev.glovebox.server.access;

import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;

/// Who sent a request, as its credential proves.
public sealed interface Caller {
    /// The id of the credential, for logs.
    String credentialId();

    /// The kind of the credential.
    CredentialKind kind();

    /// Refuses (403) unless this caller may touch the queue of the environment.
    void mustServe(String environmentId);

    /// Refuses (403) unless this caller may touch the session.
    ///
    /// @param environmentId the environment the session is on
    void mustReach(String sessionId, String environmentId);

    /// The holder of an API key: may touch every environment and session.
    record Owner(String credentialId) implements Caller {
        @Override
        public CredentialKind kind() {
            return CredentialKind.API_KEY;
        }

        @Override
        public void mustServe(String environmentId) {}

        @Override
        public void mustReach(String sessionId, String environmentId) {}
    }

    /// The holder of an environment key.
    record Environment(String credentialId, String environmentId) implements Caller {
        @Override
        public CredentialKind kind() {
            return CredentialKind.ENVIRONMENT_KEY;
        }

        @Override
        public void mustServe(String environment) {
            if (!environmentId.equals(environment)) {
                throw refused("this environment key is for another environment");
            }
        }

        @Override
        public void mustReach(String sessionId, String environment) {
            if (!environmentId.equals(environment)) {
                throw refused("this environment key is for another environment than the session's");
            }
        }
    }

    /// The holder of a sessions token.
    ///
    /// @param delivery which delivery of the work item minted it; an older one has lost the item
    record Delivery(
            String credentialId,
            String environmentId,
            String workId,
            String sessionId,
            int delivery)
            implements Caller {
        @Override
        public CredentialKind kind() {
            return CredentialKind.SESSIONS_TOKEN;
        }

        @Override
        public void mustServe(String environment) {
            if (!environmentId.equals(environment)) {
                throw refused("this sessions token is for another environment");
            }
        }

        @Override
        public void mustReach(String session, String environment) {
            if (!sessionId.equals(session)) {
                throw refused("this sessions token is for another session");
            }
        }
    }

    private static ProblemException refused(String message) {
        return ProblemException.of(Problem.Kind.PERMISSION, message);
    }
}
