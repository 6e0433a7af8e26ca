package dev.glovebox.worker.shell;

import java.util.HashMap;
import java.util.Map;

/// What the programs of a session see of the world. No variable of the worker's own environment is
/// ever passed on.
///
/// @param root the session's working directory inside, such as `/workspace`
/// @param base the variables of every program, such as `PATH`, `HOME` and `LANG`
public record ShellEnvironment(String root, Map<String, String> base) {
    public ShellEnvironment {
        base = Map.copyOf(base);
    }

    /// The variables of a program.
    public Map<String, String> variables() {
        Map<String, String> all = new HashMap<>(base);
        all.put("TERM", "dumb");
        return all;
    }

    /// The variables of the persistent shell, which must not print prompts.
    Map<String, String> shellVariables() {
        Map<String, String> all = variables();
        all.put("PS1", "");
        all.put("PS2", "");
        return all;
    }

    /// Without the values of the variables, which may be secret.
    @Override
    public String toString() {
        return "ShellEnvironment[root=" + root + ", base=" + base.keySet() + "]";
    }
}
