package dev.glovebox.server.access;

import java.util.Locale;

/// The kinds of credential, told apart by their value and not by the header they come in: current
/// SDKs send all of them as Bearer.
public enum CredentialKind {
    /// Everything of the workspace, except a worker's own endpoints.
    API_KEY("sk-ant-api03-"),
    /// One self-hosted environment's queue and the sessions on it.
    ENVIRONMENT_KEY("sk-ant-oat01-"),
    /// One work item and its session; minted anew at each poll that delivers the item.
    SESSIONS_TOKEN("sk-ant-req-");

    private final String prefix;

    CredentialKind(String prefix) {
        this.prefix = prefix;
    }

    /// How a credential of this kind begins.
    public String prefix() {
        return prefix;
    }

    /// The word in the store.
    public String column() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The words in a message, such as `environment key`.
    public String words() {
        return column().replace('_', ' ');
    }
}
