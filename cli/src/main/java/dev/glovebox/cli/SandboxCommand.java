package dev.glovebox.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `glovebox sandbox`: sandboxes by hand.
@Command(
        name = "sandbox",
        description = "Runs a command in a sandbox of its own.",
        mixinStandardHelpOptions = true,
        subcommands = SandboxRun.class)
final class SandboxCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(), "sandbox: say what to do, such as: sandbox run -- id");
    }
}
