package dev.glovebox.spec.parity;

import dev.glovebox.spec.lab.Talk;
import java.util.stream.Collectors;

/// What a worker answered, with what may differ by nature taken out: the name of its working
/// directory, the line number bash counts in a command it was fed, and the order of the files in a
/// search.
///
/// @param state `ok` or `error`
record Outcome(String state, String text) {
    /// Takes an answer apart.
    static Outcome of(Talk.Call call, String workdir) {
        String text =
                call.text()
                        .replace(workdir, "/workspace")
                        .replaceAll("(/bin/bash|bash): line \\d+: ", "bash: line N: ")
                        .replaceAll("line N: +\\d+ Killed", "line N: PID Killed");
        return new Outcome(call.state(), call.tool().equals("grep") ? sorted(text) : text);
    }

    /// A form for a table cell: one line, the middle of long texts left out.
    String brief() {
        String line =
                text.replace("\\", "\\\\")
                        .replace("\n", "\\n")
                        .replace("\r", "\\r")
                        .replace("\0", "\\0")
                        .replace("|", "\\|")
                        .replace("`", "'");
        String cut =
                line.length() <= 120
                        ? line
                        : line.substring(0, 80)
                                + " … "
                                + line.substring(line.length() - 30)
                                + " ("
                                + text.length()
                                + " characters)";
        return (state.equals("ok") ? "" : state + ": ") + "`" + cut + "`";
    }

    private static String sorted(String text) {
        return text.lines().sorted().collect(Collectors.joining("\n"));
    }
}
