package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.OperatorClient;
import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.worker.operator.Request;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `glovebox sandbox delete`.
@Command(
        name = "delete",
        aliases = "rm",
        description = {
            "Ends a sandbox with all that runs in it. A call that runs gets an error result; the session goes on and has a new sandbox,"
                    + " with the same /workspace, after the call that finds the old one gone.",
            "",
            "Asks first on a terminal; elsewhere --yes is needed.",
            "",
            "Examples:",
            "  glovebox sandbox delete sesn_01ab",
            "  glovebox sandbox delete sesn_01ab --yes"
        },
        mixinStandardHelpOptions = true)
public final class DeleteCommand implements Callable<Integer> {
    @Mixin private WorkerChoice worker;

    @Option(
            names = {"-y", "--yes"},
            description = "Do not ask.")
    private boolean yes;

    @Parameters(paramLabel = "NAME", description = "Sandbox, session, or the beginning of either.")
    private String name;

    @Override
    public Integer call() {
        OperatorClient client = worker.client();
        if (name.isEmpty()) {
            throw new OperatorException("delete needs a name");
        }
        String meant = client.ask(new Request.Look(name)).at("/sandboxes/0/name").asString();
        if (!yes && !Question.delete(meant + " and all that runs in it")) {
            Screen.standard().note("nothing deleted");
            return 1;
        }
        client.ask(new Request.Delete(meant));
        Screen.standard().line("deleted " + meant);
        return 0;
    }
}
