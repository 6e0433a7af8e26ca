package dev.glovebox.worker.policy;

import java.util.Locale;

/// What a session can ask for in its metadata, if the operator lets sessions ask.
public enum Wish {
    /// One of the operator's named policies instead of the default one.
    POLICY,
    /// Less than its policy allows, as the `networking` of the Managed Agents API.
    NETWORKING;

    /// Keys of metadata that are meant for a worker.
    static final String PREFIX = "glovebox.";

    /// The spelling in a worker's configuration.
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The key in a session's metadata.
    public String key() {
        return PREFIX + text();
    }
}
