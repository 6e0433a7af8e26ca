package dev.glovebox.worker.operator;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// Where the operator's socket of a worker is.
public final class OperatorSocket {
    /// Most bytes of a path that a socket can be bound to: `sun_path` of unix(7) has 108, the last
    /// of them 0.
    static final int LONGEST = 107;

    private OperatorSocket() {}

    /// The socket of the worker that has this data directory: `operator/socket` in it, or, if that
    /// is too long a path for a socket, one in `/run/glovebox` that has a digest for its name.
    public static Path in(Path dataDirectory) {
        Path data = dataDirectory.toAbsolutePath().normalize();
        Path socket = data.resolve("operator").resolve("socket");
        return bytes(socket).length <= LONGEST
                ? socket
                : Path.of("/run/glovebox/operator-" + digest(bytes(data)), "socket");
    }

    private static byte[] bytes(Path path) {
        return path.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String digest(byte[] bytes) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
