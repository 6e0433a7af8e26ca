package dev.glovebox.cli;

import dev.glovebox.cli.demo.Narrator;
import java.util.List;
import java.util.Locale;

/// Tells the demo on a terminal, each line with the seconds since its start.
final class StoryTeller implements Narrator {
    private static final int LONGEST = 150;
    private static final int MOST_LINES = 6;

    private final Terminal terminal;
    private final long start = System.nanoTime();

    StoryTeller(Terminal terminal) {
        this.terminal = terminal;
    }

    @Override
    public void stage(String text) {
        line("-- " + text);
    }

    @Override
    public void said(String words) {
        line("agent: " + words);
    }

    @Override
    public void called(String tool, String input) {
        line("  " + tool + ": " + shortened(input));
    }

    @Override
    public void answered(String output, boolean error) {
        List<String> lines = output.lines().toList();
        for (String text : lines.subList(0, Math.min(lines.size(), MOST_LINES))) {
            line(
                    "    "
                            + (error
                                    ? terminal.bad(shortened(text))
                                    : terminal.faint(shortened(text))));
        }
        if (lines.size() > MOST_LINES) {
            line("    " + terminal.faint("... " + (lines.size() - MOST_LINES) + " more lines"));
        }
    }

    @Override
    public void failed(String message) {
        line(terminal.bad("error: " + message));
    }

    @Override
    public void checked(String claim, boolean holds, String evidence) {
        line(
                (holds ? terminal.good("yes ") : terminal.bad("NO  "))
                        + claim
                        + terminal.faint(" (" + shortened(evidence) + ")"));
    }

    private void line(String text) {
        terminal.line(
                String.format(Locale.ROOT, "%6.1f s  %s", (System.nanoTime() - start) / 1e9, text));
    }

    private static String shortened(String text) {
        String one = text.replace('\n', ' ');
        return one.length() <= LONGEST ? one : one.substring(0, LONGEST - 3) + "...";
    }
}
