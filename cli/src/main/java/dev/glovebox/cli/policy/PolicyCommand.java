package dev.glovebox.cli;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.PolicyException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `glovebox policy`: what an egress policy means, before a sandbox depends on it.
@Command(
        name = "policy",
        description = "Reads an egress policy and says what it means.",
        mixinStandardHelpOptions = true,
        subcommands = PolicyCommand.Explain.class)
final class PolicyCommand implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(), "policy: say what to do, such as: policy explain");
    }

    /// The policy in a file.
    ///
    /// @throws CliException when there is no such file or it is not a policy; the message lists
    ///   everything wrong with it
    static EgressPolicy read(Path file) {
        try {
            return EgressPolicy.parse(Files.readString(file));
        } catch (IOException e) {
            throw new CliException("cannot read policy " + file + ": " + CliException.reason(e));
        } catch (PolicyException e) {
            throw new CliException(
                    "policy "
                            + file
                            + " is invalid, nothing would be allowed:\n  "
                            + String.join("\n  ", e.problems()));
        }
    }

    /// `glovebox policy explain`: one line a URL.
    @Command(
            name = "explain",
            description = {
                "Says for each URL whether the policy lets a sandbox go there: verdict, rule, reason.",
                "",
                "Example: glovebox policy explain --policy policy.yaml https://api.example.com/v1"
            },
            mixinStandardHelpOptions = true)
    static final class Explain implements Callable<Integer> {
        @Option(
                names = "--policy",
                required = true,
                paramLabel = "FILE",
                description = "The policy, YAML or JSON.")
        private Path policy;

        @Parameters(
                arity = "1..*",
                paramLabel = "URL",
                description = "Such as https://host/path, host:port or tcp://10.0.0.5:5432.")
        private List<String> urls;

        @Override
        public Integer call() {
            EgressPolicy read = read(policy);
            Terminal terminal = Terminal.standard();
            for (String url : urls) {
                terminal.line(read.explain(url).line());
            }
            return 0;
        }
    }
}
