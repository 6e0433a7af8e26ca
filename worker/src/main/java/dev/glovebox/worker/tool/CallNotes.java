package dev.glovebox.worker.tool;

import java.time.Instant;
import java.util.List;

/// What happened around a command that the command itself may not have said: destinations that were
/// refused, processes that were killed for want of memory.
@FunctionalInterface
public interface CallNotes {
    /// Nothing ever happens.
    CallNotes NONE = _ -> List.of();

    /// One line each of what happened since then.
    List<String> since(Instant start);
}
