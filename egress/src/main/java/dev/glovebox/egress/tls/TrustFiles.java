package dev.glovebox.egress.tls;

import dev.glovebox.egress.EgressException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// Files by which programs in a sandbox come to believe its door, beside whom the worker believes.
/// They hold certificates only, and everybody may read them.
///
/// @param authority the door's own certificate alone, PEM, for programs that add to what they have
/// @param bundle it and all roots, PEM, for programs that replace what they have
/// @param store the same as `bundle` for Java, PKCS #12 without a password
/// @param knownHosts hosts for which the door logs in over SSH, with the door's key (sshd(8))
public record TrustFiles(Path authority, Path bundle, Path store, Path knownHosts) {
    private static final String AUTHORITY = "ca.crt";
    private static final String BUNDLE = "ca-certificates.crt";
    private static final String STORE = "cacerts";
    private static final String KNOWN_HOSTS = "ssh_known_hosts";
    private static final Base64.Encoder PEM = Base64.getMimeEncoder(64, new byte[] {'\n'});

    /// Writes them.
    ///
    /// @param directory made if missing; nothing else is in it
    /// @throws EgressException if they cannot be written
    public static TrustFiles write(Path directory, Authority authority, TrustedRoots roots) {
        TrustFiles files = in(directory);
        List<X509Certificate> all = new ArrayList<>();
        all.add(authority.certificate());
        all.addAll(roots.certificates());
        try {
            Files.createDirectories(directory);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            put(files.authority(), pem(List.of(authority.certificate())));
            put(files.bundle(), pem(all));
            put(files.store(), pkcs12(all));
            put(files.knownHosts(), new byte[0]);
            return files;
        } catch (IOException | GeneralSecurityException e) {
            throw new EgressException("certificates for the sandbox cannot be written", e);
        }
    }

    private static TrustFiles in(Path directory) {
        return new TrustFiles(
                directory.resolve(AUTHORITY),
                directory.resolve(BUNDLE),
                directory.resolve(STORE),
                directory.resolve(KNOWN_HOSTS));
    }

    /// Writes the hosts; into the same file, because that is the one which is mounted.
    ///
    /// @throws EgressException if that cannot be done
    void putKnownHosts(List<String> lines) {
        StringBuilder text = new StringBuilder();
        lines.forEach(line -> text.append(line).append('\n'));
        try {
            Files.writeString(knownHosts, text, StandardOpenOption.TRUNCATE_EXISTING);
        } catch (IOException e) {
            throw new EgressException("known hosts of a sandbox cannot be written", e);
        }
    }

    /// Removes the files in a directory that an earlier life has left, and it.
    public static void remove(Path directory) {
        in(directory).remove();
    }

    /// The directory in which they are, and nothing else.
    public Path directory() {
        return bundle.toAbsolutePath().resolve("..").normalize();
    }

    void remove() {
        try {
            for (Path file : List.of(authority, bundle, store, knownHosts)) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(directory());
        } catch (IOException e) {
            throw new EgressException("certificates of a sandbox cannot be removed", e);
        }
    }

    private static void put(Path file, byte[] content) throws IOException {
        Files.write(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
    }

    private static byte[] pem(List<X509Certificate> certificates) throws GeneralSecurityException {
        StringBuilder text = new StringBuilder();
        for (X509Certificate certificate : certificates) {
            text.append("-----BEGIN CERTIFICATE-----\n")
                    .append(PEM.encodeToString(certificate.getEncoded()))
                    .append("\n-----END CERTIFICATE-----\n");
        }
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] pkcs12(List<X509Certificate> certificates)
            throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (int i = 0; i < certificates.size(); i++) {
            store.setCertificateEntry("ca-" + i, certificates.get(i));
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        store.store(out, null);
        return out.toByteArray();
    }
}
