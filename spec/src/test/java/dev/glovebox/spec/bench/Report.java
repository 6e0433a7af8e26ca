package dev.glovebox.spec.bench;

import dev.glovebox.spec.lab.SourceTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// What one benchmark found, in Markdown: printed line by line as it comes, and on request put in
/// place of its earlier section of `docs/benchmarks.md`.
final class Report {
    private static final String HEAD =
            """
            # Benchmarks

            Each section is made by the command it names; ratios travel between machines, times do not.
            """;

    private final String name;
    private final List<String> lines = new ArrayList<>();

    /// @param name of the benchmark, as in `./glovebox bench NAME`
    Report(String name, String title) throws IOException {
        this.name = name;
        line("# " + title);
        line("");
        line("`./glovebox bench " + name + " --write` on " + machine());
        line("");
    }

    void line(String text) {
        lines.add(text);
        System.out.println(text);
    }

    /// A heading, what was done, and the head of a table.
    void section(String title, String explanation, String... columns) {
        line("## " + title);
        line("");
        line(explanation);
        line("");
        row(columns);
        line("|" + "---|".repeat(columns.length));
    }

    void row(String... cells) {
        line(List.of(cells).stream().collect(Collectors.joining(" | ", "| ", " |")));
    }

    /// The end of a table.
    void end() {
        line("");
    }

    /// Replaces this benchmark's section.
    void write() throws IOException {
        Path file = SourceTree.root().resolve("docs/benchmarks.md");
        String before = Files.exists(file) ? Files.readString(file) : HEAD;
        String start = "<!-- " + name + " -->\n";
        String stop = "<!-- end of " + name + " -->\n";
        String own = start + String.join("\n", lines).strip() + "\n" + stop;
        int from = before.indexOf(start);
        int to = before.indexOf(stop);
        String after =
                from < 0 || to < from
                        ? before.stripTrailing() + "\n\n" + own
                        : before.substring(0, from) + own + before.substring(to + stop.length());
        Files.writeString(file, after);
    }

    private static String machine() throws IOException {
        String memory =
                Files.readAllLines(Path.of("/proc/meminfo")).getFirst().replaceAll("\\D+", "");
        return String.format(
                Locale.ROOT,
                "%d cores, %d GiB, Linux %s, Java %s.",
                Runtime.getRuntime().availableProcessors(),
                Math.round(Long.parseLong(memory) / 1024.0 / 1024.0),
                System.getProperty("os.version"),
                Runtime.version());
    }
}
