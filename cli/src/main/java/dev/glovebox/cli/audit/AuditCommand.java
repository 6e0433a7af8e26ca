package dev.glovebox.cli.audit;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// `glovebox audit`: what sandboxes reached and what they were refused.
@Command(
        name = "audit",
        description = "Reads the records of what sandboxes reached and were refused.",
        mixinStandardHelpOptions = true,
        subcommands = {AuditVerify.class, AuditQuery.class})
public final class AuditCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(), "audit: say what to do, such as: audit verify");
    }
}
