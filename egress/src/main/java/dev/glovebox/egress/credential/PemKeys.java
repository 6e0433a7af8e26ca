package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Secret;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Keys and certificates in PEM (RFC 7468): PKCS#8, and PKCS#1 for RSA, which GitHub still hands
/// out. A key protected by a passphrase is not read.
final class PemKeys {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\\s]+)-----END \\1-----");
    private static final byte[] VERSION_AND_RSA =
            HexFormat.of().parseHex("020100300d06092a864886f70d0101010500");

    private PemKeys() {}

    /// The one private key in the text.
    ///
    /// @throws CredentialException if there is not exactly one that can be read
    static PrivateKey privateKey(Secret pem) throws CredentialException {
        List<PrivateKey> keys = new ArrayList<>();
        Matcher block = BLOCK.matcher(pem.reveal());
        while (block.find()) {
            switch (block.group(1)) {
                case "PRIVATE KEY" -> keys.add(pkcs8(bytes(block.group(2))));
                case "RSA PRIVATE KEY" -> keys.add(pkcs8(wrapped(bytes(block.group(2)))));
                default -> {}
            }
        }
        if (keys.size() != 1) {
            throw new CredentialException("there is not exactly one private key in PEM");
        }
        return keys.getFirst();
    }

    /// The certificates in the text, in order.
    ///
    /// @throws CredentialException if there is none, or one cannot be read
    static List<X509Certificate> chain(Secret pem) throws CredentialException {
        List<X509Certificate> chain = new ArrayList<>();
        Matcher block = BLOCK.matcher(pem.reveal());
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            while (block.find()) {
                if (block.group(1).equals("CERTIFICATE")) {
                    byte[] der = bytes(block.group(2));
                    chain.add(
                            (X509Certificate)
                                    factory.generateCertificate(new ByteArrayInputStream(der)));
                }
            }
        } catch (CertificateException e) {
            throw new CredentialException("a certificate cannot be read");
        }
        if (chain.isEmpty()) {
            throw new CredentialException("there is no certificate in PEM");
        }
        return List.copyOf(chain);
    }

    private static byte[] bytes(String base64) throws CredentialException {
        try {
            return Base64.getMimeDecoder().decode(base64.getBytes(StandardCharsets.US_ASCII));
        } catch (IllegalArgumentException e) {
            throw new CredentialException("a PEM block is not base64");
        }
    }

    private static PrivateKey pkcs8(byte[] der) throws CredentialException {
        try {
            for (String algorithm : List.of("RSA", "EC", "Ed25519")) {
                Optional<PrivateKey> key = ofKind(algorithm, der);
                if (key.isPresent()) {
                    return key.get();
                }
            }
        } finally {
            Arrays.fill(der, (byte) 0);
        }
        throw new CredentialException("the private key is neither RSA nor EC nor Ed25519");
    }

    private static Optional<PrivateKey> ofKind(String algorithm, byte[] der) {
        try {
            return Optional.of(
                    KeyFactory.getInstance(algorithm)
                            .generatePrivate(new PKCS8EncodedKeySpec(der)));
        } catch (GeneralSecurityException e) {
            return Optional.empty();
        }
    }

    /// RFC 5208 §5 around RFC 8017 §A.1.2.
    private static byte[] wrapped(byte[] pkcs1) {
        byte[] inner = sequence((byte) 0x04, new byte[0], pkcs1);
        byte[] whole = sequence((byte) 0x30, VERSION_AND_RSA, inner);
        Arrays.fill(inner, (byte) 0);
        Arrays.fill(pkcs1, (byte) 0);
        return whole;
    }

    private static byte[] sequence(byte tag, byte[] first, byte[] second) {
        int length = first.length + second.length;
        return ByteBuffer.allocate(4 + length)
                .put(tag)
                .put((byte) 0x82)
                .putShort((short) length)
                .put(first)
                .put(second)
                .array();
    }
}
