package dev.glovebox.cli.operator;

import dev.glovebox.protocol.Json;
import dev.glovebox.worker.operator.Printable;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Standard output for text that comes out of sandboxes: whatever it holds, it is shown and does
/// nothing to the terminal.
public final class Screen {
    private final PrintStream out;

    private Screen(PrintStream out) {
        this.out = out;
    }

    /// The process's standard output.
    public static Screen standard() {
        return new Screen(
                new PrintStream(
                        new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8));
    }

    /// One line.
    public void line(String text) {
        out.println(Printable.line(text));
    }

    /// What is not a result, on standard error.
    public void note(String text) {
        System.err.println(Printable.line(text));
    }

    /// One JSON value on one line.
    public void json(JsonNode value) {
        out.println(Printable.json(Json.write(value)));
    }

    /// Rows in columns as wide as their widest cell.
    public void table(List<String> header, List<List<String>> rows) {
        List<List<String>> all = new ArrayList<>();
        all.add(header);
        rows.forEach(row -> all.add(row.stream().map(Printable::line).toList()));
        int[] widths = new int[header.size()];
        for (List<String> row : all) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : all) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                text.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 2);
            }
            out.println(text.toString().stripTrailing());
        }
    }

    /// Begins anew at the top of a terminal.
    void clear() {
        out.print("\033[H\033[2J");
    }

    /// Whether somebody still takes what is printed.
    boolean open() {
        return !out.checkError();
    }
}
