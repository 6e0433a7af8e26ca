package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.Request;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `glovebox sandbox pause`.
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
public final class PauseCommand implements Callable<Integer> {
    @Mixin private WorkerChoice worker;

    @Parameters(paramLabel = "NAME", description = "Sandbox, session, or the beginning of either.")
    private String name;

    @Override
    public Integer call() {
        var answer = worker.client().ask(new Request.Pause(name));
        Screen.standard().line("paused " + answer.at("/sandboxes/0/name").asString());
        return 0;
    }
}
