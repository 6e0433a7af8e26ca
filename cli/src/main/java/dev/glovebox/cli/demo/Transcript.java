package dev.glovebox.cli.demo;

import java.util.ArrayList;
import java.util.List;

/// What a client saw of the session, call by call.
final class Transcript {
    private final List<Call> calls = new ArrayList<>();
    private final StringBuilder everything = new StringBuilder();
    private boolean finished;

    /// One tool call and its result.
    record Call(String id, String tool, String input, String output, boolean error) {}

    void called(String id, String tool, String input) {
        calls.add(new Call(id, tool, input, "", true));
        everything.append(input).append('\n');
    }

    void answered(String id, String output, boolean error) {
        calls.replaceAll(
                c -> c.id().equals(id) ? new Call(id, c.tool(), c.input(), output, error) : c);
        everything.append(output).append('\n');
    }

    void said(String words) {
        everything.append(words).append('\n');
    }

    void finish() {
        finished = true;
    }

    boolean finished() {
        return finished;
    }

    List<Call> calls() {
        return List.copyOf(calls);
    }

    /// Every word and byte that crossed between client and agent.
    boolean mentions(String text) {
        return everything.indexOf(text) >= 0;
    }

    /// The calls whose input contains the text, in order.
    List<Call> with(String text) {
        return calls.stream().filter(c -> c.input().contains(text)).toList();
    }
}
