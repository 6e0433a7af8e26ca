package dev.glovebox.protocol;

import java.util.random.RandomGenerator;

/// The kinds of object that have an id, each with its prefix on the wire. Ids are opaque to
/// clients; ours are the prefix and 24 random letters and digits (142 bits).
public enum IdKind {
    AGENT("agent_"),
    ENVIRONMENT("env_"),
    ENVIRONMENT_KEY("envkey_"),
    EVENT("sevt_"),
    REQUEST("req_"),
    SESSION("sesn_"),
    THREAD("sthr_"),
    WORK("work_");

    private static final String ALPHABET =
            "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    private static final int LENGTH = 24;

    private final String prefix;

    IdKind(String prefix) {
        this.prefix = prefix;
    }

    /// The prefix with its underscore, such as `sesn_`.
    public String prefix() {
        return prefix;
    }

    /// A new id of this kind.
    ///
    /// @param random a cryptographically strong source in production, a seeded one in tests
    public String next(RandomGenerator random) {
        StringBuilder id = new StringBuilder(prefix.length() + LENGTH).append(prefix);
        for (int i = 0; i < LENGTH; i++) {
            id.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return id.toString();
    }
}
