package dev.glovebox.egress.tls;

import dev.glovebox.egress.EgressException;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/// The certificate authority of one door: it vouches to one sandbox for the names its door answers
/// for, and to nobody else.
///
/// Its key (EC P-256) exists in this object and nowhere else: it is never encoded, written or
/// passed on, and is gone with the door. The certificate says server authentication only, no
/// authority below, at most 24 hours. It is not constrained to names: a door is opened before its
/// policy is known and gets others while it is open, and whoever had the key could do nothing with
/// it outside this one sandbox (decision 0021).
public final class Authority {
    /// How long a sandbox believes it.
    static final Duration LIFE = Duration.ofHours(24);

    /// Clocks of programs inside are the host's; this is for those that round.
    private static final Duration EARLIER = Duration.ofMinutes(5);

    private static final String SIGNATURE = "SHA256withECDSA";
    private static final int SERIAL_BITS = 120;

    private final SecureRandom random;
    private final KeyPair keys;
    private final X509Certificate certificate;

    private Authority(SecureRandom random, KeyPair keys, X509Certificate certificate) {
        this.random = random;
        this.keys = keys;
        this.certificate = certificate;
    }

    /// A new one.
    ///
    /// @param door names it in certificates, for people
    /// @throws EgressException if this JVM lacks an algorithm; no connection is terminated then
    public static Authority create(String door, Instant now) {
        try {
            SecureRandom random = new SecureRandom();
            KeyPair keys = newKeys(random);
            X500Name name = name("Glovebox door " + door + " " + serial(random).toString(36));
            X509v3CertificateBuilder builder =
                    builder(random, name, name, now, now.plus(LIFE), keys.getPublic());
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign));
            builder.addExtension(
                    Extension.extendedKeyUsage,
                    true,
                    new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
            builder.addExtension(
                    Extension.subjectKeyIdentifier,
                    false,
                    new JcaX509ExtensionUtils().createSubjectKeyIdentifier(keys.getPublic()));
            return new Authority(random, keys, sign(builder, keys));
        } catch (GeneralSecurityException | IOException | OperatorCreationException e) {
            throw new EgressException("door \"" + door + "\" gets no authority", e);
        }
    }

    /// What the sandbox is to trust.
    public X509Certificate certificate() {
        return certificate;
    }

    /// New keys of the kind that is used throughout.
    KeyPair newLeafKeys() throws GeneralSecurityException {
        return newKeys(random);
    }

    /// Vouches that the holder of the key is the host, as long as this authority itself is
    /// believed.
    X509Certificate issue(Host host, PublicKey key, Instant now) throws GeneralSecurityException {
        try {
            X500Name issuer =
                    X500Name.getInstance(certificate.getSubjectX500Principal().getEncoded());
            X509v3CertificateBuilder builder =
                    builder(
                            random,
                            issuer,
                            new X500Name(new org.bouncycastle.asn1.x500.RDN[0]),
                            now,
                            certificate.getNotAfter().toInstant(),
                            key);
            builder.addExtension(
                    Extension.subjectAlternativeName, true, new GeneralNames(alternative(host)));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(
                    Extension.extendedKeyUsage,
                    false,
                    new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(
                    Extension.authorityKeyIdentifier,
                    false,
                    new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(keys.getPublic()));
            return sign(builder, keys);
        } catch (IOException | OperatorCreationException e) {
            throw new GeneralSecurityException("no certificate for " + host.text(), e);
        }
    }

    private static GeneralName alternative(Host host) {
        return new GeneralName(
                host instanceof HostAddress ? GeneralName.iPAddress : GeneralName.dNSName,
                host.text());
    }

    private static X500Name name(String commonName) {
        return new X500Name("O=Glovebox,CN=" + commonName);
    }

    private static BigInteger serial(SecureRandom random) {
        return new BigInteger(SERIAL_BITS, random).setBit(SERIAL_BITS);
    }

    private static KeyPair newKeys(SecureRandom random) throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"), random);
        return generator.generateKeyPair();
    }

    private static X509v3CertificateBuilder builder(
            SecureRandom random,
            X500Name issuer,
            X500Name subject,
            Instant now,
            Instant end,
            PublicKey key) {
        return new JcaX509v3CertificateBuilder(
                issuer,
                serial(random),
                Date.from(now.minus(EARLIER)),
                Date.from(end.minusSeconds(1)),
                subject,
                key);
    }

    private static X509Certificate sign(X509v3CertificateBuilder builder, KeyPair keys)
            throws GeneralSecurityException, IOException, OperatorCreationException {
        byte[] encoded =
                builder.build(new JcaContentSignerBuilder(SIGNATURE).build(keys.getPrivate()))
                        .getEncoded();
        return (X509Certificate)
                CertificateFactory.getInstance("X.509")
                        .generateCertificate(new ByteArrayInputStream(encoded));
    }
}
