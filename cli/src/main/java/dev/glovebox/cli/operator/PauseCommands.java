package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.Request;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `glovebox sandbox pause` and `glovebox sandbox resume`: one way there, one back.
public final class PauseCommands {
    private PauseCommands() {}

    /// There.
    @Command(
            name = "pause",
            description = {
                "Freezes every process of a sandbox where it is. Memory stays in use; a call that runs waits, and its deadline with it;"
                        + " a new call is answered that the sandbox is paused.",
                "",
                "Example:",
                "  glovebox sandbox pause sesn_01ab"
            },
            mixinStandardHelpOptions = true)
    public static final class Pause implements Callable<Integer> {
        @Mixin private Subject subject;

        @Override
        public Integer call() {
            return subject.ask(Request.Pause::new, "paused ");
        }
    }

    /// Back.
    @Command(
            name = "resume",
            description = {
                "Lets a paused sandbox run on.",
                "",
                "Example:",
                "  glovebox sandbox resume sesn_01ab"
            },
            mixinStandardHelpOptions = true)
    public static final class Resume implements Callable<Integer> {
        @Mixin private Subject subject;

        @Override
        public Integer call() {
            return subject.ask(Request.Resume::new, "resumed ");
        }
    }

    /// The sandbox that is meant, and of which worker.
    static final class Subject {
        @Mixin private WorkerChoice worker;

        @Parameters(
                paramLabel = "NAME",
                description = "Sandbox, session, or the beginning of either.")
        private String name;

        int ask(Function<String, Request> request, String done) {
            var answer = worker.client().ask(request.apply(name));
            Screen.standard().line(done + answer.at("/sandboxes/0/name").asString());
            return 0;
        }
    }
}
