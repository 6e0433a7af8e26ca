package dev.glovebox.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a person sees: lines, plain tables, and colour where the output is a terminal that wants it
/// (`NO_COLOR` is honoured).
final class Terminal {
    private final PrintWriter out;
    private final boolean colours;

    Terminal(PrintWriter out, boolean colours) {
        this.out = out;
        this.colours = colours;
    }

    /// The process's standard output, coloured only if it is a terminal.
    static Terminal standard() {
        boolean terminal =
                Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
        return new Terminal(
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                terminal && System.getenv("NO_COLOR") == null);
    }

    void line(String text) {
        out.println(text);
        out.flush();
    }

    /// Prints rows in columns as wide as their widest cell; the last column is not padded.
    void table(List<String> header, List<List<String>> rows) {
        List<List<String>> all = new ArrayList<>();
        all.add(header);
        all.addAll(rows);
        int columns = header.size();
        int[] widths = new int[columns];
        for (List<String> row : all) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : all) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < columns - 1; i++) {
                text.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 2);
            }
            line(text.append(row.getLast()).toString().stripTrailing());
        }
    }

    String good(String text) {
        return paint("32", text);
    }

    String warning(String text) {
        return paint("33", text);
    }

    String bad(String text) {
        return paint("31", text);
    }

    String faint(String text) {
        return paint("2", text);
    }

    private String paint(String code, String text) {
        return colours ? "\033[" + code + "m" + text + "\033[0m" : text;
    }
}
