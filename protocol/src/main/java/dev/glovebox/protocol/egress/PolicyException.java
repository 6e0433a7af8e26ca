package dev.glovebox.protocol.egress;

import java.util.List;

/// A policy, or a part of one, that cannot be used. Nothing is opened with it: an invalid policy
/// never widens access.
public final class PolicyException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final transient List<String> problems;

    /// @param problems every fault found, each naming its place; not empty
    public PolicyException(List<String> problems) {
        super(String.join("\n", problems));
        this.problems = List.copyOf(problems);
    }

    /// @param problem the one fault found
    public PolicyException(String problem) {
        this(List.of(problem));
    }

    /// Every fault found, each naming its place such as `rules[2].port`.
    public List<String> problems() {
        return problems;
    }
}
