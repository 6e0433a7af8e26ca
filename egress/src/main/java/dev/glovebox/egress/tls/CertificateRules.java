package dev.glovebox.egress.tls;

import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXCertPathChecker;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Collection;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What is asked of a server's chain beyond RFC 5280 and the rules of the JDK, whoever its root is:
/// no MD5 or SHA-1 signature, RSA of 2048 bits or EC of 224 at least, and the names of the server
/// in its subject alternative name, not in its common name (RFC 9525 §2).
final class CertificateRules extends PKIXCertPathChecker {
    private static final int RSA_BITS = 2048;
    private static final int EC_BITS = 224;

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
            throw new CertPathValidatorException("the certificate has no subject alternative name");
        }
    }

    private static boolean isNamed(X509Certificate certificate) throws CertPathValidatorException {
        try {
            return certificate.getSubjectAlternativeNames() != null;
        } catch (CertificateParsingException e) {
            throw new CertPathValidatorException("the certificate's names cannot be read", e);
        }
    }
}
