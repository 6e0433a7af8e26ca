package dev.glovebox.cli;

import dev.glovebox.cli.operator.AttachCommand;
import dev.glovebox.cli.operator.DeleteCommand;
import dev.glovebox.cli.operator.ExecCommand;
import dev.glovebox.cli.operator.ImagesCommand;
import dev.glovebox.cli.operator.ListCommand;
import dev.glovebox.cli.operator.LogsCommand;
import dev.glovebox.cli.operator.PauseCommands;
import dev.glovebox.cli.operator.StatsCommand;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `glovebox sandbox`: sandboxes by hand.
@Command(
        name = "sandbox",
        description = {
            "Runs a command in a sandbox of its own (run), or has a look at, and a hand in, the sandboxes of a running worker: the"
                    + " other verbs. Those need the worker's user, as a rule root.",
            "",
            "Examples:",
            "  glovebox sandbox run -- id",
            "  glovebox sandbox list",
            "  glovebox sandbox attach sesn_01ab"
        },
        mixinStandardHelpOptions = true,
        subcommands = {
            SandboxRun.class,
            TemplatesCommand.class,
            PullCommand.class,
            ImagesCommand.class,
            ListCommand.class,
            AttachCommand.class,
            ExecCommand.class,
            LogsCommand.class,
            StatsCommand.class,
            PauseCommands.Pause.class,
            PauseCommands.Resume.class,
            DeleteCommand.class
        })
final class SandboxCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(),
                "sandbox: say what to do, such as: sandbox run -- id, or: sandbox list");
    }
}
