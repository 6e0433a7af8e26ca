package dev.glovebox.cli.policy;

import dev.glovebox.cli.operator.Screen;
import dev.glovebox.protocol.egress.file.PolicySchema;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/// `glovebox policy schema`.
@Command(
        name = "schema",
        description = {
            "Prints the form of a policy file as a JSON schema (draft 2020-12), for editors. `policy check` is stricter.",
            "",
            "Example, for editors that speak the YAML language server's protocol:",
            "  glovebox policy schema > policy.schema.json",
            "  # yaml-language-server: $schema=policy.schema.json      as the first line of policy.yaml"
        },
        mixinStandardHelpOptions = true)
public final class SchemaCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        Screen screen = Screen.standard();
        PolicySchema.text().lines().forEach(screen::line);
        return 0;
    }
}
