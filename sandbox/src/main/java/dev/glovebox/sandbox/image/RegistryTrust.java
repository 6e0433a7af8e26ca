package dev.glovebox.sandbox.image;

import dev.glovebox.sandbox.image.ImageException.Band;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/// Who may vouch for a registry: the authorities that this Java believes, and those that the
/// operator names besides.
final class RegistryTrust {
    private static final int MOST_BYTES = 4 << 20;

    private RegistryTrust() {}

    /// @param caFile certificates in PEM, empty = those of this Java alone
    /// @throws ImageException [Band#HOST] naming the file, if there is no certificate to read in it
    static SSLContext of(Optional<Path> caFile) {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers(caFile.isEmpty() ? null : joined(caFile.get())), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw new ImageException(
                    Band.HOST,
                    "cannot believe the authorities in "
                            + caFile.map(Path::toString).orElse("this Java")
                            + ": it must hold certificates in PEM: "
                            + e.getMessage(),
                    e);
        }
    }

    private static TrustManager[] managers(@Nullable KeyStore authorities)
            throws GeneralSecurityException {
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(authorities);
        return factory.getTrustManagers();
    }

    private static KeyStore joined(Path file) throws GeneralSecurityException, IOException {
        KeyStore all = KeyStore.getInstance(KeyStore.getDefaultType());
        all.load(null, null);
        int number = 0;
        for (Certificate own : read(file)) {
            all.setCertificateEntry("own-" + number++, own);
        }
        if (number == 0) {
            throw new IOException("no certificate in it");
        }
        for (TrustManager manager : managers(null)) {
            if (manager instanceof X509TrustManager known) {
                for (X509Certificate issuer : known.getAcceptedIssuers()) {
                    all.setCertificateEntry("known-" + number++, issuer);
                }
            }
        }
        return all;
    }

    private static Collection<? extends Certificate> read(Path file)
            throws GeneralSecurityException, IOException {
        if (Files.size(file) > MOST_BYTES) {
            throw new IOException("larger than " + MOST_BYTES + " bytes");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in);
        }
    }
}
