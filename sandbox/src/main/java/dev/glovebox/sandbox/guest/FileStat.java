package dev.glovebox.sandbox.guest;

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
        Instant modified) {}
