package dev.glovebox.egress.ssh;

import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which commands a rule gives.
///
/// A git command is taken apart and written anew, so that the server's shell sees a program of
/// three and one quoted path of harmless characters, and nothing else.
///
/// @param methods `fetch`, `push` (git) and `exec` (any command); without any, `fetch`
/// @param paths which repositories, as an absolute path
public record CommandRules(Set<String> methods, Predicate<String> paths) {
    private static final Set<String> KNOWN = Set.of("fetch", "push", "exec");
    private static final int MAX_LENGTH = 64 * 1024;
    private static final Pattern GIT =
            Pattern.compile(
                    "git[- ](upload-pack|upload-archive|receive-pack) ('?)([A-Za-z0-9._~/+@=-]+)\\2");

    public CommandRules {
        methods = methods.isEmpty() ? Set.of("fetch") : Set.copyOf(methods);
        if (!KNOWN.containsAll(methods)) {
            throw new IllegalArgumentException("an ssh rule gives fetch, push and exec, no other");
        }
    }

    /// What came of a command.
    sealed interface Judged {
        /// It may run.
        ///
        /// @param command as it is sent
        record Given(String command) implements Judged {}

        /// It may not.
        ///
        /// @param reason one line
        record Refused(String reason) implements Judged {}
    }

    Judged judge(String command) {
        if (command.length() > MAX_LENGTH || command.indexOf(0) >= 0) {
            return new Judged.Refused("the command is too long or holds a NUL");
        }
        Matcher git = GIT.matcher(command);
        if (!git.matches()) {
            return methods.contains("exec")
                    ? new Judged.Given(command)
                    : new Judged.Refused("only git commands on one plain path are given");
        }
        String program = git.group(1);
        String path = git.group(3);
        String method = program.equals("receive-pack") ? "push" : "fetch";
        if (!methods.contains(method)) {
            return new Judged.Refused("git " + method + " is not given");
        }
        Optional<String> fault = fault(path);
        if (fault.isPresent()) {
            return new Judged.Refused(fault.get());
        }
        return paths.test(path.startsWith("/") ? path : "/" + path)
                ? new Judged.Given("git-" + program + " '" + path + "'")
                : new Judged.Refused("repository " + path + " is not given");
    }

    private static Optional<String> fault(String path) {
        String[] segments = (path.startsWith("/") ? path.substring(1) : path).split("/", -1);
        for (int i = 0; i < segments.length; i++) {
            boolean last = i == segments.length - 1 && i > 0;
            if (segments[i].isEmpty() ? !last : segments[i].matches("\\.\\.?")) {
                return Optional.of("the path " + path + " has no single meaning");
            }
        }
        return path.startsWith("-")
                ? Optional.of("the path " + path + " would be read as an option")
                : Optional.empty();
    }
}
