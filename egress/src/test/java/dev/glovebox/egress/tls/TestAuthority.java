package dev.glovebox.egress.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// An authority of the fake internet, which also makes every kind of bad certificate.
public final class TestAuthority {
    private static final AtomicLong SERIAL = new AtomicLong(1000);

    private final Identity root;

    /// A certificate with its key and what vouches for it, its own first.
    public record Identity(KeyPair keys, List<X509Certificate> chain) {
        /// A server's side of TLS with it.
        public SSLContext context() throws java.security.GeneralSecurityException {
            try {
                KeyStore store = KeyStore.getInstance("PKCS12");
                store.load(null, null);
                char[] none = new char[0];
                store.setKeyEntry(
                        "it", keys.getPrivate(), none, chain.toArray(X509Certificate[]::new));
                KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
                managers.init(store, none);
                SSLContext context = SSLContext.getInstance("TLS");
                context.init(managers.getKeyManagers(), null, null);
                return context;
            } catch (IOException e) {
                throw new java.security.GeneralSecurityException(e);
            }
        }
    }

    /// How a certificate is made.
    public record Form(
            String subject,
            Optional<GeneralName> name,
            Instant start,
            Instant end,
            String signature,
            KeyPair keys,
            boolean authority,
            KeyPurposeId purpose) {
        /// A good one.
        public static Form of(String host) throws Exception {
            return new Form(
                    "CN=" + host,
                    Optional.of(new GeneralName(GeneralName.dNSName, host)),
                    Instant.now().minus(Duration.ofDays(2)),
                    Instant.now().plus(Duration.ofDays(2)),
                    "SHA256withRSA",
                    ec(),
                    false,
                    KeyPurposeId.id_kp_serverAuth);
        }

        public Form named(GeneralName other) {
            return new Form(
                    subject, Optional.of(other), start, end, signature, keys, authority, purpose);
        }

        public Form unnamed() {
            return new Form(
                    subject, Optional.empty(), start, end, signature, keys, authority, purpose);
        }

        public Form during(Instant from, Instant to) {
            return new Form(subject, name, from, to, signature, keys, authority, purpose);
        }

        public Form signed(String algorithm) {
            return new Form(subject, name, start, end, algorithm, keys, authority, purpose);
        }

        public Form with(KeyPair other) {
            return new Form(subject, name, start, end, signature, other, authority, purpose);
        }

        public Form asAuthority() {
            return new Form(subject, name, start, end, signature, keys, true, purpose);
        }

        public Form forPurpose(KeyPurposeId other) {
            return new Form(subject, name, start, end, signature, keys, authority, other);
        }
    }

    public TestAuthority(String name) throws Exception {
        KeyPair keys = rsa(2048);
        Form form = Form.of(name).with(keys).asAuthority();
        root = new Identity(keys, List.of(make(form, "CN=" + name, keys)));
    }

    public static KeyPair rsa(int bits) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(bits);
        return generator.generateKeyPair();
    }

    public static KeyPair ec() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        return generator.generateKeyPair();
    }

    /// A good certificate for a host.
    public Identity vouch(String host) throws Exception {
        return vouch(Form.of(host));
    }

    public Identity vouch(Form form) throws Exception {
        return vouch(form, root);
    }

    /// A certificate that another one vouches for.
    public Identity vouch(Form form, Identity by) throws Exception {
        X509Certificate issuer = by.chain().getFirst();
        X509Certificate made = make(form, issuer.getSubjectX500Principal().getName(), by.keys());
        List<X509Certificate> chain = new java.util.ArrayList<>(List.of(made));
        chain.addAll(by.chain());
        return new Identity(form.keys(), chain);
    }

    /// A certificate that only its own holder vouches for.
    public static Identity alone(String host) throws Exception {
        Form form = Form.of(host).signed("SHA256withECDSA");
        return new Identity(form.keys(), List.of(make(form, "CN=" + host, form.keys())));
    }

    private static X509Certificate make(Form form, String issuer, KeyPair by) throws Exception {
        JcaX509v3CertificateBuilder builder =
                new JcaX509v3CertificateBuilder(
                        new X500Name(issuer),
                        BigInteger.valueOf(SERIAL.incrementAndGet()),
                        Date.from(form.start()),
                        Date.from(form.end()),
                        new X500Name(form.subject()),
                        form.keys().getPublic());
        builder.addExtension(
                Extension.basicConstraints, true, new BasicConstraints(form.authority()));
        if (!form.authority()) {
            builder.addExtension(
                    Extension.extendedKeyUsage, false, new ExtendedKeyUsage(form.purpose()));
            if (form.name().isPresent()) {
                builder.addExtension(
                        Extension.subjectAlternativeName,
                        false,
                        new GeneralNames(form.name().get()));
            }
        }
        String algorithm =
                by.getPrivate().getAlgorithm().equals("EC")
                        ? form.signature().replace("RSA", "ECDSA")
                        : form.signature();
        byte[] encoded =
                builder.build(new JcaContentSignerBuilder(algorithm).build(by.getPrivate()))
                        .getEncoded();
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(encoded));
    }

    /// Writes what a worker needs to believe this authority, and what it has revoked.
    public Path write(Path file, X509Certificate... revoked) throws Exception {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter pem = new JcaPEMWriter(text)) {
            pem.writeObject(root.chain().getFirst());
            if (revoked.length > 0) {
                JcaX509v2CRLBuilder list =
                        new JcaX509v2CRLBuilder(
                                root.chain().getFirst().getSubjectX500Principal(),
                                Date.from(Instant.now()));
                list.setNextUpdate(Date.from(Instant.now().plus(Duration.ofDays(1))));
                for (X509Certificate each : revoked) {
                    list.addCRLEntry(
                            each.getSerialNumber(),
                            Date.from(Instant.now()),
                            CRLReason.keyCompromise);
                }
                pem.writeObject(
                        list.build(
                                new JcaContentSignerBuilder("SHA256withRSA")
                                        .build(root.keys().getPrivate())));
            }
        }
        return Files.writeString(file, text.toString());
    }
}
