package dev.glovebox.cli;

import dev.glovebox.cli.audit.AuditCommand;
import dev.glovebox.cli.operator.WorkspaceCommands;
import dev.glovebox.cli.policy.PolicyCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// The one entry point. Each verb is a class of its own; this one names them and turns what they
/// throw into a line on standard error and an exit code.
@Command(
        name = "glovebox",
        description = {
            "The self-hosted hands for AI agents.",
            "",
            "Runs the tool calls of Claude Managed Agents in sandboxes on this machine, for Anthropic's control plane or for the"
                    + " one inside (`glovebox up`)."
        },
        subcommands = {
            DemoCommand.class,
            UpCommand.class,
            WorkerCommand.class,
            EnvironmentKeyCommand.class,
            SandboxCommand.class,
            WorkspaceCommands.class,
            PolicyCommand.class,
            AuditCommand.class,
            DoctorCommand.class,
            CommandLine.HelpCommand.class
        },
        mixinStandardHelpOptions = true,
        version = "glovebox 0.1.0",
        footer = {
            "",
            "Start here:",
            "  glovebox doctor     what this host has and lacks",
            "  glovebox demo       a whole session, from client to sandbox and back, in a minute",
            "  glovebox up --data DIR --listen 127.0.0.1:8600     control plane and worker in one process",
            "",
            "From a source tree: ./glovebox setup | test | bench calls"
        })
public final class Main {
    private Main() {}

    /// Runs one command and ends the process with its exit code.
    public static void main(String[] arguments) {
        Logs.configure(System.getenv().getOrDefault("GLOVEBOX_LOG", "warning"));
        System.exit(commandLine().execute(arguments));
    }

    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Main());
        line.setExecutionExceptionHandler((e, commandLine, _) -> {
            commandLine.getErr().println("glovebox: " + e.getMessage());
            return commandLine.getCommandSpec().exitCodeOnExecutionException();
        });
        line.setUsageHelpAutoWidth(true);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        // what follows `--` belongs to the command to run, options and all
        line.setStopAtPositional(false);
        return line;
    }
}
