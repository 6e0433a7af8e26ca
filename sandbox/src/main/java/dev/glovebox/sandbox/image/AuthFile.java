package dev.glovebox.sandbox.image;

import dev.glovebox.sandbox.image.ImageException.Band;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// Credentials for registries, in the form of `docker login`'s `config.json`: `auths`, by host,
/// each with `auth`, the base 64 of `user:password`.
///
/// Read anew for every pull, so that a changed password needs no restart. `credHelpers` and
/// `credsStore` are not used: they name programs to run.
///
/// @param path of the file, empty = no credentials
record AuthFile(Optional<Path> path) {
    private static final long LARGEST = 1 << 20;
    private static final Set<PosixFilePermission> OTHERS =
            Set.of(
                    PosixFilePermission.GROUP_READ,
                    PosixFilePermission.GROUP_WRITE,
                    PosixFilePermission.OTHERS_READ,
                    PosixFilePermission.OTHERS_WRITE);

    /// The value of `Authorization: Basic` for a registry.
    ///
    /// @throws ImageException [Band#HOST] when the file cannot be used
    Optional<String> basic(String registry) {
        if (path.isEmpty()) {
            return Optional.empty();
        }
        JsonNode auths = Manifest.json(read(path.get()), path.get().toString()).path("auths");
        String auth = auths.path(registry).path("auth").asString("");
        if (auth.isEmpty()) {
            auth = auths.path("https://" + registry).path("auth").asString("");
        }
        if (auth.isEmpty()) {
            return Optional.empty();
        }
        try {
            String pair = new String(Base64.getDecoder().decode(auth), StandardCharsets.UTF_8);
            if (pair.indexOf(':') < 1) {
                throw new IllegalArgumentException("no user:password");
            }
            return Optional.of("Basic " + auth);
        } catch (IllegalArgumentException e) {
            throw new ImageException(
                    Band.HOST,
                    "auth of "
                            + registry
                            + " in "
                            + path.get()
                            + " is not base 64 of user:password",
                    e);
        }
    }

    private static byte[] read(Path file) {
        try {
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
            if (mode.stream().anyMatch(OTHERS::contains)) {
                throw new ImageException(
                        Band.HOST, file + " can be read by others: chmod 600 " + file);
            }
            if (Files.size(file) > LARGEST) {
                throw new ImageException(Band.HOST, file + " is larger than 1 MiB");
            }
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new ImageException(Band.HOST, "cannot read the auth file " + file, e);
        }
    }
}
