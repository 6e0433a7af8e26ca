package dev.glovebox.egress.http;

import dev.glovebox.egress.EgressException;
import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.credential.Projection;
import dev.glovebox.protocol.egress.credential.Source;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// A header that the door adds to requests of one rule.
///
/// @param name the header
/// @param value its whole value, the secret in it
/// @param secret the secret alone
public record InjectedHeader(String name, Secret value, Secret secret) {
    private static final long MAX_BYTES = 16 * 1024;

    /// Reads every credential that a rule of the policy uses.
    ///
    /// @return by rule name
    /// @throws EgressException naming the credential and its source, never its value
    public static Map<String, InjectedHeader> load(EgressPolicy policy) {
        Map<String, InjectedHeader> headers = new HashMap<>();
        for (EgressRule rule : policy.rules()) {
            policy.credentialOf(rule)
                    .ifPresent(credential -> headers.put(rule.name(), load(credential)));
        }
        return headers;
    }

    private static InjectedHeader load(Credential credential) {
        if (!(credential.projection() instanceof Projection.Header header)) {
            throw unserved(credential, "can only be added as a header");
        }
        String text =
                switch (credential.source()) {
                    case Source.File(String path) -> read(credential, Path.of(path));
                    case Source.Environment(String variable) -> {
                        String value = System.getenv(variable);
                        yield value == null ? "" : value;
                    }
                    default -> throw unserved(credential, "can only come from file or env");
                };
        if (text.isEmpty()) {
            throw new EgressException(
                    "credential \"" + credential.name() + "\" is empty: " + credential.source());
        }
        try {
            Secret secret = new Secret(text);
            return new InjectedHeader(header.name(), header.render(secret), secret);
        } catch (PolicyException e) {
            throw unserved(credential, "cannot be used: " + e.getMessage());
        }
    }

    private static EgressException unserved(Credential credential, String reason) {
        return new EgressException("credential \"" + credential.name() + "\" " + reason);
    }

    private static String read(Credential credential, Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException("longer than " + MAX_BYTES + " bytes");
            }
            String text = Files.readString(file, StandardCharsets.UTF_8);
            return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
        } catch (IOException e) {
            throw new EgressException(
                    "credential \"" + credential.name() + "\" cannot be read from " + file, e);
        }
    }
}
