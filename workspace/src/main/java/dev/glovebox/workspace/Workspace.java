package dev.glovebox.workspace;

import java.nio.file.Path;

/// The durable disk of one session.
///
/// What lies in [#directory] was written by an agent and is hostile: a host process with privileges
/// must not follow a link, open a FIFO or trust a name in it. Owners on disk are ids of the
/// container, so the agent's files belong to 1000.
///
/// @param id of the session, or a name that a person gave
/// @param directory absolute path on this host, to be mounted into a sandbox
public record Workspace(String id, Path directory) {}
