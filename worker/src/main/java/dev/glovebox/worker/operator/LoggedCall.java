package dev.glovebox.worker.operator;

import java.time.Instant;

/// What is remembered of a call.
///
/// @param number counts up from 1 in the order in which the calls of a session end; 0 while it runs
/// @param start when it began
/// @param who `agent`, or `operator` for a command of `exec` or `attach`
/// @param tool such as `bash`, or `exec`, `attach`
/// @param input its beginning
/// @param millis how long it took, or has taken
/// @param outcome `ok`, `error`, `running`, or what became of the operator's command
/// @param output the end of its result; empty for an operator's command
public record LoggedCall(
        long number,
        Instant start,
        String who,
        String tool,
        String input,
        long millis,
        String outcome,
        String output) {
    int size() {
        return input.length() + output.length() + outcome.length() + 64;
    }
}
