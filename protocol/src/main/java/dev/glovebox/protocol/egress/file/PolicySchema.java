package dev.glovebox.protocol.egress.file;

/// The form of a policy file as a JSON schema (draft 2020-12), for editors. It takes every policy
/// that the reader takes; the reader is stricter.
public final class PolicySchema {
    private PolicySchema() {}

    /// The schema.
    public static String text() {
        return Presets.resource("policy.schema.json");
    }
}
