package dev.glovebox.cli.demo;

/// Tells a person what happens in the demo, as it happens.
public interface Narrator {
    /// A stage begins or a fact is known.
    void stage(String text);

    /// The agent speaks.
    void said(String words);

    /// The agent calls a tool.
    void called(String tool, String input);

    /// The sandbox answered.
    void answered(String output, boolean error);

    /// The session met an error.
    void failed(String message);

    /// One claim of the demo, looked at.
    void checked(String claim, boolean holds, String evidence);
}
