package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.OperatorChannel;
import dev.glovebox.worker.operator.Request;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `glovebox sandbox exec`.
@Command(
        name = "exec",
        description = {
            "Runs a command beside the agent's in its sandbox, in /workspace with the sandbox's environment, and within its limits."
                    + " Input, output, error and exit code are passed through; there is no terminal.",
            "",
            "The exit code is the command's; 128+N when signal N ended it, 125 when it could not be run or the sandbox ended. When"
                    + " this process ends first, the command gets SIGHUP.",
            "",
            "Examples:",
            "  glovebox sandbox exec sesn_01ab -- ps -ef",
            "  glovebox sandbox exec sesn_01ab -- tar -c . > workspace.tar"
        },
        mixinStandardHelpOptions = true,
        exitCodeOnExecutionException = 125)
public final class ExecCommand implements Callable<Integer> {
    @Mixin private WorkerChoice worker;

    @Parameters(
            index = "0",
            paramLabel = "NAME",
            description = "Sandbox, session, or the beginning of either.")
    private String name;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "CMD", description = "Command.")
    private List<String> command;

    @Override
    public Integer call() {
        Request.Exec request = new Request.Exec(name, command, Optional.empty());
        try (OperatorChannel channel = worker.client().exec(request)) {
            return new Conversation(channel).run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
