package dev.glovebox.sandbox.image;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// A SHA-256 of content, written `sha256:` and 64 hexadecimal digits. OCI's only algorithm that
/// every registry must know, and the only one here.
///
/// @param hex 64 digits, lower case
public record Digest(String hex) {
    private static final String PREFIX = "sha256:";
    private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

    public Digest {
        if (!HEX.matcher(hex).matches()) {
            throw new IllegalArgumentException("not the digits of a SHA-256: " + hex);
        }
    }

    /// Reads a digest.
    ///
    /// @throws IllegalArgumentException for anything but `sha256:` and 64 digits
    public static Digest parse(String text) {
        if (!text.startsWith(PREFIX)) {
            throw new IllegalArgumentException("not a digest of the kind sha256:…: " + text);
        }
        return new Digest(text.substring(PREFIX.length()));
    }

    public static Digest of(byte[] content) {
        return of(sha256(), content);
    }

    /// What a digest that was fed has come to.
    public static Digest of(MessageDigest fed, byte... rest) {
        return new Digest(HexFormat.of().formatHex(fed.digest(rest)));
    }

    public static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return PREFIX + hex;
    }
}
