package dev.glovebox.worker.operator;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.Template;
import java.time.Instant;
import java.util.Locale;

/// A sandbox as an operator sees it.
///
/// @param sessionId the session it works for; empty for one that waits for a session
/// @param profile `strict`, `dev` or `nested`
/// @param runtime the OCI runtime that started it
/// @param state `ready`, `busy` while a call of the agent runs, `paused`, `warm`, `ended`
/// @param running the tool that runs now, empty if none
/// @param since when it was made
/// @param memoryBytes in use, files in `/tmp` and `/home/agent` included
/// @param tasks processes and threads
/// @param cpuMillis processor time used
/// @param oomKills processes killed for want of memory
/// @param refused destinations the door has refused, of the last few hundred
/// @param calls of the agent that have ended, in this and earlier sandboxes of the session
/// @param operators commands of `exec` and `attach` that run in it now
public record SandboxView(
        String name,
        String sessionId,
        String template,
        String profile,
        String runtime,
        String state,
        String running,
        Instant since,
        long memoryBytes,
        long memoryLimitBytes,
        long tasks,
        long tasksLimit,
        long cpuMillis,
        long oomKills,
        long refused,
        long calls,
        int operators) {
    /// One that waits for a session.
    ///
    /// @param since when it was made
    public static SandboxView warm(
            Sandbox sandbox, Instant since, Template template, Limits limits) {
        return new SandboxView(
                sandbox.name(),
                "",
                template.name(),
                template.profile().name().toLowerCase(Locale.ROOT),
                sandbox.attestation().runtime().program(),
                "warm",
                "",
                since,
                sandbox.memoryUsed(),
                limits.memoryBytes(),
                sandbox.tasks(),
                limits.pids(),
                sandbox.cpuTime().toMillis(),
                sandbox.oomKills(),
                0,
                0,
                0);
    }
}
