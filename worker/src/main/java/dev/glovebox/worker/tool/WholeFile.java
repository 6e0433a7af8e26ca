package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.guest.FileKind;
import dev.glovebox.sandbox.guest.FileStat;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;

/// A regular file of a size that may be held in memory.
///
/// @param size its bytes when it was looked at
record WholeFile(String path, long size) {

    /// Looks before anything is opened: a FIFO or a device is never waited for.
    ///
    /// @param tool name of the tool, for the words of refusals
    /// @param named the file as the agent named it
    static WholeFile at(Guest guest, String path, String tool, String named) {
        try {
            FileStat stat = guest.stat(path, true);
            if (stat.kind() != FileKind.REGULAR) {
                throw new ToolFailure(tool + ": " + named + " is not a regular file");
            }
            return new WholeFile(path, stat.size());
        } catch (GuestException e) {
            throw new ToolFailure(tool + ": " + FileErrors.text(e, named));
        }
    }

    /// All of it, or the first `limit` bytes of one that has grown since.
    byte[] read(Guest guest, int limit, String tool, String named) {
        try {
            return guest.read(path, 0, limit);
        } catch (GuestException e) {
            throw new ToolFailure(tool + ": " + FileErrors.text(e, named));
        }
    }

    /// The first half of what an agent is told about a file that is too large.
    String tooLarge(String tool, String named, int limit) {
        return tool + ": " + named + " is " + size + " bytes, exceeds " + limit + "-byte limit. ";
    }
}
