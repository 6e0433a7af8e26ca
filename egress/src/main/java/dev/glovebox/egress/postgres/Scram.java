package dev.glovebox.egress.postgres;

import dev.glovebox.protocol.Secret;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.text.Normalizer;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/// The client of one SCRAM-SHA-256 exchange (RFC 5802, RFC 7677), without channel binding. The
/// server proves that it knows the password too, so a false server is noticed.
final class Scram {
    static final String MECHANISM = "SCRAM-SHA-256";

    /// PostgreSQL uses 4096; a server that asks for more than this would only burn our processor.
    static final int MAX_ITERATIONS = 1_000_000;

    private static final String HEADER = "n,,";
    private static final Pattern SERVER_FIRST =
            Pattern.compile(
                    "r=([!-+\\--~]{1,1024}),s=([A-Za-z0-9+/=]{1,1024}),i=([1-9][0-9]{0,8})");

    private final Secret password;
    private final String nonce;
    private byte[] serverSignature = {};

    Scram(Secret password, SecureRandom random) {
        this.password = password;
        byte[] bytes = new byte[18];
        random.nextBytes(bytes);
        this.nonce = Base64.getEncoder().encodeToString(bytes);
    }

    /// What the client says first. The user was named in the startup packet.
    String first() {
        return HEADER + bare();
    }

    private String bare() {
        return "n=,r=" + nonce;
    }

    /// The proof. Computes for some milliseconds.
    ///
    /// @throws GeneralSecurityException if the server's challenge is not one
    String last(String serverFirst) throws GeneralSecurityException {
        Matcher matcher = SERVER_FIRST.matcher(serverFirst);
        if (!matcher.matches() || !matcher.group(1).startsWith(nonce)) {
            throw new GeneralSecurityException("the server's SCRAM challenge is not one");
        }
        int iterations = Integer.parseInt(matcher.group(3));
        if (matcher.group(1).length() == nonce.length() || iterations > MAX_ITERATIONS) {
            throw new GeneralSecurityException("the server's SCRAM challenge is out of bounds");
        }
        byte[] salted = salt(matcher.group(2), iterations);
        String withoutProof =
                "c=" + base64(HEADER.getBytes(StandardCharsets.UTF_8)) + ",r=" + matcher.group(1);
        String all = bare() + "," + serverFirst + "," + withoutProof;
        byte[] clientKey = hmac(salted, "Client Key");
        byte[] stored = MessageDigest.getInstance("SHA-256").digest(clientKey);
        byte[] signature = hmac(stored, all);
        for (int i = 0; i < clientKey.length; i++) {
            clientKey[i] ^= signature[i];
        }
        serverSignature = hmac(hmac(salted, "Server Key"), all);
        return withoutProof + ",p=" + base64(clientKey);
    }

    private byte[] salt(String salt, int iterations) throws GeneralSecurityException {
        try {
            byte[] bytes = Base64.getDecoder().decode(salt);
            String prepared = Normalizer.normalize(password.reveal(), Normalizer.Form.NFKC);
            PBEKeySpec spec = new PBEKeySpec(prepared.toCharArray(), bytes, iterations, 256);
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (IllegalArgumentException e) {
            throw new GeneralSecurityException("the server's SCRAM salt is not one", e);
        }
    }

    /// Whether the server's last word proves that it knows the password.
    boolean proves(String serverFinal) {
        return serverSignature.length > 0
                && MessageDigest.isEqual(
                        ("v=" + base64(serverSignature)).getBytes(StandardCharsets.UTF_8),
                        serverFinal.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }
}
