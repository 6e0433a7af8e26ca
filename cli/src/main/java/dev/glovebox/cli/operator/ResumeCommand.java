package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.Request;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `glovebox sandbox resume`.
@Command(
        name = "resume",
        description = {
            "Lets a paused sandbox run on.",
            "",
            "Example:",
            "  glovebox sandbox resume sesn_01ab"
        },
        mixinStandardHelpOptions = true)
public final class ResumeCommand implements Callable<Integer> {
    @Mixin private WorkerChoice worker;

    @Parameters(paramLabel = "NAME", description = "Sandbox, session, or the beginning of either.")
    private String name;

    @Override
    public Integer call() {
        var answer = worker.client().ask(new Request.Resume(name));
        Screen.standard().line("resumed " + answer.at("/sandboxes/0/name").asString());
        return 0;
    }
}
