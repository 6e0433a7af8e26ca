package dev.glovebox.sandbox.guest;

import java.time.Instant;

/// One name in a directory and what `lstat(2)` says of it.
///
/// @param name the last part of the path; bytes that are not UTF-8 appear as U+FFFD, and such a
///   file cannot be addressed from outside
/// @param kind what it is; a link is not followed
/// @param mode its permission bits, from 0 to 07777
/// @param size its bytes
/// @param modified when its content last changed
public record DirectoryEntry(String name, FileKind kind, int mode, long size, Instant modified) {}
