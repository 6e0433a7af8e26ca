package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Secret;
import java.time.Instant;

/// Where one secret comes from. [LiveSecret] sees to it that one fetch runs at a time.
public interface SecretSource {
    /// Longest secret that is taken from anywhere, in bytes.
    int MAX_BYTES = 16 * 1024;

    /// A secret as its source gave it.
    ///
    /// @param value the secret
    /// @param expires from when on it must not be used any more; [Instant#MAX] for a source that
    ///   tells by its stamp
    /// @param stamp the source's stamp from before the value was read
    record Fetched(Secret value, Instant expires, Object stamp) {}

    /// Gets the secret. Blocks, within a deadline of its own.
    ///
    /// @throws CredentialException if it cannot be had
    Fetched fetch() throws CredentialException;

    /// Something that is not equal to what it was when the secret has been changed at its source;
    /// cheap, and asked before every use. Constant where only time tells.
    default Object stamp() {
        return "";
    }
}
