package dev.glovebox.egress.tls;

import dev.glovebox.egress.EgressException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
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

    /// Writes them.
    ///
    /// @param directory made if missing; nothing else is in it
    /// @throws EgressException if they cannot be written
    public static TrustFiles write(Path directory, Authority authority, TrustedRoots roots) {
        TrustFiles files = in(directory);
        try {
            CertificateFiles own = CertificateFiles.of(List.of(authority.certificate()), "door-");
            CertificateFiles all = own.and(roots.encoded());
            Files.createDirectories(directory);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            put(files.authority(), own.pem());
            put(files.bundle(), all.pem());
            put(files.store(), all.store());
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
}
