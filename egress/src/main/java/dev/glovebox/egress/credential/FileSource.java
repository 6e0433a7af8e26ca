package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;

/// A file that holds the secret in UTF-8; one line end at its end is not part of it. Never written.
///
/// Its stamp is time of change, size and inode, so a file that was exchanged (as Kubernetes does it
/// with a symbolic link) is seen as well as one that was written.
final class FileSource implements SecretSource {
    private final Path file;

    FileSource(Path file) {
        this.file = file;
    }

    @Override
    public Object stamp() {
        try {
            BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
            return List.of(now.lastModifiedTime(), now.size(), String.valueOf(now.fileKey()));
        } catch (IOException e) {
            return "unreadable";
        }
    }

    @Override
    public Fetched fetch() throws CredentialException {
        Object stamp = stamp();
        if (!Files.isRegularFile(file)) {
            throw new CredentialException("file " + file + " cannot be read or is no file");
        }
        byte[] bytes = new byte[0];
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MAX_BYTES + 1);
            return new Fetched(secret(bytes, "file " + file), Instant.MAX, stamp);
        } catch (IOException e) {
            throw new CredentialException("file " + file + " cannot be read", e);
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    /// The secret in the bytes.
    ///
    /// @param from names the source in the message
    /// @throws CredentialException if they are empty, too many, or no UTF-8
    static Secret secret(byte[] bytes, String from) throws CredentialException {
        if (bytes.length > MAX_BYTES) {
            throw new CredentialException(from + " is longer than " + MAX_BYTES + " bytes");
        }
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new CredentialException(from + " is not UTF-8");
        }
        if (text.endsWith("\n")) {
            text = text.substring(0, text.length() - (text.endsWith("\r\n") ? 2 : 1));
        }
        if (text.isEmpty()) {
            throw new CredentialException(from + " is empty");
        }
        return new Secret(text);
    }
}
