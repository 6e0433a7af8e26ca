package dev.glovebox.sandbox.guest;

import java.nio.ByteBuffer;
import java.time.Instant;

/// What `stat(2)` says of a file inside.
///
/// @param kind what it is
/// @param mode its permission bits, from 0 to 07777
/// @param size its bytes; of no meaning for a directory or a device
/// @param modified when its content last changed
public record FileStat(
        FileKind kind,
        int mode,
        int uid,
        int gid,
        long device,
        long inode,
        long links,
        long size,
        Instant modified) {
    /// Reads the nine numbers of the protocol.
    static FileStat from(ByteBuffer facts) {
        int mode = (int) facts.getLong();
        return new FileStat(
                FileKind.of(mode),
                mode & 07777,
                (int) facts.getLong(),
                (int) facts.getLong(),
                facts.getLong(),
                facts.getLong(),
                facts.getLong(),
                facts.getLong(),
                Instant.ofEpochSecond(facts.getLong(), facts.getLong()));
    }
}
