package dev.glovebox.worker.shell;

import java.util.regex.Pattern;

/// Text as a terminal would get it, and as a reader wants it.
final class AnsiText {
    private static final char ESCAPE = '\u001b';

    /// Control sequences (CSI) of ECMA-48: colours, cursor movements, erasures.
    private static final Pattern SEQUENCE = Pattern.compile("\u001b\\[[0-9;?]*[ -/]*[@-~]");

    private AnsiText() {}

    /// The text without control sequences.
    static String strip(String text) {
        return text.indexOf(ESCAPE) < 0 ? text : SEQUENCE.matcher(text).replaceAll("");
    }
}
