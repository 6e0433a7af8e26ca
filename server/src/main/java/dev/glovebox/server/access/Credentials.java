package dev.glovebox.server.access;

import dev.glovebox.protocol.Secret;
import dev.glovebox.server.store.Transaction;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/// Mints credentials and recognises them. Only the SHA-256 of a credential is ever stored: it has
/// 256 random bits, so no slow hash is needed, and a stolen database opens nothing.
public final class Credentials {
    private static final int SECRET_BYTES = 32;
    private static final int HINT_LENGTH = 4;

    private final RandomGenerator random;

    /// @param random a cryptographically strong source in production
    public Credentials(RandomGenerator random) {
        this.random = random;
    }

    /// Makes a credential and stores its hash.
    ///
    /// @return the credential itself, which cannot be had again
    public Secret mint(Transaction tx, Grant grant) {
        byte[] bytes = new byte[SECRET_BYTES];
        random.nextBytes(bytes);
        String value =
                grant.kind().prefix()
                        + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        tx.handle()
                .createUpdate(
                        """
                        INSERT INTO credentials (id, kind, hash, hint, name, environment_id,
                            session_id, work_id, delivery, created_at)
                        VALUES (:id, :kind, :hash, :hint, :name, :environment,
                            :session, :work, :delivery, :now)
                        """)
                .bind("id", grant.id())
                .bind("kind", grant.kind().column())
                .bind("hash", hash(value))
                .bind("hint", value.substring(value.length() - HINT_LENGTH))
                .bind("name", grant.name())
                .bind("environment", grant.environmentId())
                .bind("session", grant.sessionId())
                .bind("work", grant.workId())
                .bind("delivery", grant.delivery())
                .bind("now", tx.now())
                .execute();
        return new Secret(value);
    }

    /// Recognises a credential that is neither revoked nor expired.
    ///
    /// @param now the time, in the store's form
    public static Optional<Caller> recognise(Handle handle, String value, String now) {
        String hash = hash(value);
        return handle.createQuery(
                        """
                        SELECT id, kind, hash, environment_id, session_id, work_id, delivery
                        FROM credentials
                        WHERE hash = :hash AND revoked_at IS NULL
                          AND (expires_at IS NULL OR expires_at > :now)
                        """)
                .bind("hash", hash)
                .bind("now", now)
                .map((row, _) -> {
                    boolean same =
                            MessageDigest.isEqual(
                                    hash.getBytes(StandardCharsets.US_ASCII),
                                    row.getString("hash").getBytes(StandardCharsets.US_ASCII));
                    return new Found(
                            same,
                            caller(
                                    row.getString("kind"),
                                    row.getString("id"),
                                    row.getString("environment_id"),
                                    row.getString("work_id"),
                                    row.getString("session_id"),
                                    row.getInt("delivery")));
                })
                .findOne()
                .filter(Found::same)
                .map(Found::caller);
    }

    private record Found(boolean same, Caller caller) {}

    private static Caller caller(
            String kind, String id, String environment, String work, String session, int delivery) {
        return switch (kind) {
            case "api_key" -> new Caller.Owner(id);
            case "environment_key" -> new Caller.Environment(id, environment);
            case "sessions_token" -> new Caller.Delivery(id, environment, work, session, delivery);
            default -> throw new IllegalStateException("credential " + id + " has kind " + kind);
        };
    }

    private static String hash(String value) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256")
                            .digest(value.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /// What a new credential is to open.
    ///
    /// @param id the credential's id, not secret
    /// @param name for people
    public record Grant(
            CredentialKind kind,
            String id,
            String name,
            @Nullable String environmentId,
            @Nullable String sessionId,
            @Nullable String workId,
            int delivery) {
        /// An API key.
        public static Grant apiKey(String id, String name) {
            return new Grant(CredentialKind.API_KEY, id, name, null, null, null, 0);
        }

        /// A key for one environment.
        public static Grant environmentKey(String id, String name, String environmentId) {
            return new Grant(
                    CredentialKind.ENVIRONMENT_KEY, id, name, environmentId, null, null, 0);
        }

        /// A token for one delivery of a work item.
        public static Grant sessionsToken(
                String id, String environmentId, String sessionId, String workId, int delivery) {
            return new Grant(
                    CredentialKind.SESSIONS_TOKEN,
                    id,
                    "",
                    environmentId,
                    sessionId,
                    workId,
                    delivery);
        }
    }
}
