package dev.glovebox.egress.audit;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// How records hang together: each line is one JSON object whose last member, `hash`, is the
/// SHA-256 of the previous record's hash (32 bytes) and of the line's text without that member.
///
/// No key is involved: a chain shows that something in it was changed, taken out or put in, as long
/// as one later hash is known. Whoever may write the files can make a new chain, so an operator who
/// fears that keeps heads elsewhere (`glovebox audit verify --contains`).
final class Chain {
    /// What the very first record follows.
    static final String START = "0".repeat(64);

    private static final String MEMBER = ",\"hash\":\"";
    private static final int TAIL = MEMBER.length() + 64 + 2;
    private static final HexFormat HEX = HexFormat.of();

    private Chain() {}

    /// A record and the hash that the next one follows.
    ///
    /// @param line without a line end
    record Link(String line, String hash) {}

    static Link link(String previous, ObjectNode record) {
        String body = Json.write(record);
        String hash = hash(previous, body);
        return new Link(body.substring(0, body.length() - 1) + MEMBER + hash + "\"}", hash);
    }

    /// A line that was read.
    ///
    /// @param fields of the record
    /// @param hash that the line says it has
    /// @param body the text that was hashed
    record Read(JsonNode fields, String hash, String body) {
        boolean follows(String previous) {
            return Chain.hash(previous, body).equals(hash);
        }

        long number() {
            return fields.path("number").asLong(-1);
        }

        boolean is(String event) {
            return fields.path("event").asString("").equals(event);
        }
    }

    /// Reads one line; empty if it is no record.
    static Optional<Read> read(String line) {
        int at = line.length() - TAIL;
        if (at < 1 || !line.startsWith(MEMBER, at) || !line.endsWith("\"}")) {
            return Optional.empty();
        }
        String hash = line.substring(at + MEMBER.length(), line.length() - 2);
        try {
            String body = line.substring(0, at) + "}";
            return Optional.of(new Read(Json.tree(body), hash, body));
        } catch (JsonException e) {
            return Optional.empty();
        }
    }

    private static String hash(String previous, String body) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(HEX.parseHex(previous));
            return HEX.formatHex(digest.digest(body.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
