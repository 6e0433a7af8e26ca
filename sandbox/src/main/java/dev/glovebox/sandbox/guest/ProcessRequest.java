package dev.glovebox.sandbox.guest;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A process to start inside. It gets its own session and process group, exactly this environment,
/// and no descriptor but 0, 1 and 2.
///
/// @param argv program and arguments; a program without a slash is searched in the `PATH` of the
///   environment. With the environment at most 65,000 bytes and 2,048 strings each
/// @param environment all its variables; nothing is inherited
/// @param cwd absolute path of its working directory
/// @param pty size of its controlling terminal, empty = pipes
/// @param mergeStderr stderr goes the way of stdout; a terminal always does that
public record ProcessRequest(
        List<String> argv,
        Map<String, String> environment,
        String cwd,
        Optional<WindowSize> pty,
        boolean mergeStderr) {
    /// @throws IllegalArgumentException if there is no program, or a variable has no name
    public ProcessRequest {
        argv = List.copyOf(argv);
        environment = Map.copyOf(environment);
        if (argv.isEmpty()) {
            throw new IllegalArgumentException("argv is empty");
        }
        for (String name : environment.keySet()) {
            if (name.isEmpty() || name.indexOf('=') >= 0) {
                throw new IllegalArgumentException("no name for a variable: '" + name + "'");
            }
        }
    }

    /// A process with pipes and separate stderr.
    public static ProcessRequest of(
            List<String> argv, Map<String, String> environment, String cwd) {
        return new ProcessRequest(argv, environment, cwd, Optional.empty(), false);
    }

    /// Without the values of the environment, which may be secret.
    @Override
    public String toString() {
        String names = String.join(",", environment.keySet());
        return "ProcessRequest[argv=" + argv + ", environment of " + names + ", cwd=" + cwd + "]";
    }
}
