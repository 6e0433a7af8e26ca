package dev.glovebox.workspace;

import java.nio.file.Path;

/// The durable disk of one session, open until it is closed.
///
/// What lies in [#directory] was written by an agent and is hostile: a host process with privileges
/// must not follow a link, open a FIFO or trust a name in it. Owners on disk are ids of the
/// container, so the agent's files belong to 1000.
public final class Workspace implements AutoCloseable {
    private final String id;
    private final Path directory;
    private final Runnable end;

    Workspace(String id, Path directory, Runnable end) {
        this.id = id;
        this.directory = directory;
        this.end = end;
    }

    /// Of the session, or a name that a person gave.
    public String id() {
        return id;
    }

    /// Absolute path on this host, to be mounted into a sandbox; of use until [#close].
    public Path directory() {
        return directory;
    }

    /// Lets the workspace go, once what it was mounted into is gone: what was written is then on
    /// its way to the disk, and it can be opened again. To be called once.
    @Override
    public void close() {
        end.run();
    }
}
