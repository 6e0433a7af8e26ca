package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Secret;
import java.time.Instant;
import java.util.Map;

/// A variable of the worker's own environment, which does not change while the worker lives.
final class EnvironmentSource implements SecretSource {
    private final String variable;
    private final Map<String, String> environment;

    EnvironmentSource(String variable, Map<String, String> environment) {
        this.variable = variable;
        this.environment = environment;
    }

    @Override
    public Fetched fetch() throws CredentialException {
        String value = environment.getOrDefault(variable, "");
        if (value.isEmpty()) {
            throw new CredentialException("variable " + variable + " is empty or not set");
        }
        if (value.length() > MAX_BYTES) {
            throw new CredentialException("variable " + variable + " is longer than " + MAX_BYTES);
        }
        return new Fetched(new Secret(value), Instant.MAX, stamp());
    }
}
