package dev.glovebox.egress.tls;

import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXCertPathChecker;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// What is asked of a server's chain beyond RFC 5280 and the rules of the JDK, whoever its root is:
/// no MD5 or SHA-1 signature, RSA of 2048 bits or EC of 224 at least, and the names of the server
/// in its subject alternative name, not in its common name (RFC 9525 §2).
final class CertificateRules extends PKIXCertPathChecker {
    private static final int RSA_BITS = 2048;
    private static final int EC_BITS = 224;
    private static final Integer DNS_NAME = 2; // GeneralName, RFC 5280 §4.2.1.6
    private static final Pattern COMMON_NAME = Pattern.compile("CN=([^,+]*)");
    private static final Pattern ADDRESS = Pattern.compile("[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*");

    @Override
    public void init(boolean forward) {}

    @Override
    public boolean isForwardCheckingSupported() {
        return true;
    }

    @Override
    public @Nullable Set<String> getSupportedExtensions() {
        return null;
    }

    @Override
    public void check(Certificate each, Collection<String> unresolved)
            throws CertPathValidatorException {
        X509Certificate certificate = (X509Certificate) each;
        String algorithm = certificate.getSigAlgName().toUpperCase(Locale.ROOT);
        if (algorithm.startsWith("MD") || algorithm.startsWith("SHA1")) {
            throw new CertPathValidatorException("a certificate is signed with " + algorithm);
        }
        boolean weak =
                switch (certificate.getPublicKey()) {
                    case RSAPublicKey rsa -> rsa.getModulus().bitLength() < RSA_BITS;
                    case ECPublicKey ec -> ec.getParams().getOrder().bitLength() < EC_BITS;
                    default -> false;
                };
        if (weak) {
            throw new CertPathValidatorException("a certificate has a short key");
        }
        if (certificate.getBasicConstraints() < 0 && !isNamed(certificate)) {
            throw new CertPathValidatorException(
                    "the certificate names its host in no subject alternative name");
        }
    }

    /// Without a `dNSName` the JDK would look at the common name; only one that is an address,
    /// which no host name equals, may stand there.
    private static boolean isNamed(X509Certificate certificate) throws CertPathValidatorException {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            if (names == null) {
                return false;
            }
            String subject = certificate.getSubjectX500Principal().getName();
            return names.stream().anyMatch(name -> name.getFirst().equals(DNS_NAME))
                    || COMMON_NAME
                            .matcher(subject)
                            .results()
                            .allMatch(each -> ADDRESS.matcher(each.group(1)).matches());
        } catch (CertificateParsingException e) {
            throw new CertPathValidatorException("the certificate's names cannot be read", e);
        }
    }
}
