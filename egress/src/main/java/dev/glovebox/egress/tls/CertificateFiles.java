package dev.glovebox.egress.tls;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.pkcs.AuthenticatedSafe;
import org.bouncycastle.asn1.pkcs.ContentInfo;
import org.bouncycastle.asn1.pkcs.Pfx;

/// Certificates in the two forms that programs read, encoded so that lists can be put one behind
/// the other: the many roots of a worker are encoded once, and each door adds its own.
final class CertificateFiles {
    private static final Base64.Encoder BASE64 = Base64.getMimeEncoder(64, new byte[] {'\n'});
    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 0x04;
    private static final int EXPLICIT = 0xa0;

    /// INTEGER 3, the version of RFC 7292.
    private static final byte[] VERSION = {2, 1, 3};

    /// OBJECT IDENTIFIER 1.2.840.113549.1.7.1.
    private static final byte[] DATA = {6, 9, 42, -122, 72, -122, -9, 13, 1, 7, 1};

    private final byte[] pem;
    private final byte[] bags;

    /// @param pem text, one block for each
    /// @param bags the entries of a PKCS #12 store, as the JDK writes them
    private CertificateFiles(byte[] pem, byte[] bags) {
        this.pem = pem;
        this.bags = bags;
    }

    /// Encodes them.
    ///
    /// @param name what the entries of the store are called, before their number
    static CertificateFiles of(List<X509Certificate> certificates, String name)
            throws GeneralSecurityException, IOException {
        StringBuilder text = new StringBuilder();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (X509Certificate certificate : certificates) {
            text.append("-----BEGIN CERTIFICATE-----\n")
                    .append(BASE64.encodeToString(certificate.getEncoded()))
                    .append("\n-----END CERTIFICATE-----\n");
            store.setCertificateEntry(name + store.size(), certificate);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        store.store(out, null);
        return new CertificateFiles(
                text.toString().getBytes(StandardCharsets.US_ASCII), bags(out.toByteArray()));
    }

    private static byte[] bags(byte[] store) throws IOException {
        ByteArrayOutputStream bags = new ByteArrayOutputStream();
        byte[] safe = octets(Pfx.getInstance(store).getAuthSafe());
        for (ContentInfo each : AuthenticatedSafe.getInstance(safe).getContentInfo()) {
            for (ASN1Encodable bag : ASN1Sequence.getInstance(octets(each))) {
                bags.write(bag.toASN1Primitive().getEncoded(ASN1Encoding.DER));
            }
        }
        return bags.toByteArray();
    }

    private static byte[] octets(ContentInfo info) {
        return ASN1OctetString.getInstance(info.getContent()).getOctets();
    }

    /// These, then the others.
    CertificateFiles and(CertificateFiles others) {
        return new CertificateFiles(joined(pem, others.pem), joined(bags, others.bags));
    }

    /// Text, one block for each.
    byte[] pem() {
        return pem.clone();
    }

    /// A PKCS #12 store without a password: nothing in it is secret.
    byte[] store() {
        byte[] contents = tagged(SEQUENCE, bags);
        byte[] safe = tagged(SEQUENCE, info(contents));
        return tagged(SEQUENCE, joined(VERSION, info(safe)));
    }

    private static byte[] info(byte[] content) {
        return tagged(SEQUENCE, joined(DATA, tagged(EXPLICIT, tagged(OCTETS, content))));
    }

    /// DER (X.690 §8.1).
    private static byte[] tagged(int tag, byte[] content) {
        int length = content.length;
        int bytes = length < 0x80 ? 0 : (39 - Integer.numberOfLeadingZeros(length)) / 8;
        byte[] all = new byte[2 + bytes + length];
        all[0] = (byte) tag;
        all[1] = (byte) (bytes == 0 ? length : 0x80 | bytes);
        for (int i = 0; i < bytes; i++) {
            all[2 + i] = (byte) (length >>> (8 * (bytes - 1 - i)));
        }
        System.arraycopy(content, 0, all, 2 + bytes, length);
        return all;
    }

    private static byte[] joined(byte[] one, byte[] other) {
        byte[] all = Arrays.copyOf(one, one.length + other.length);
        System.arraycopy(other, 0, all, one.length, other.length);
        return all;
    }
}
