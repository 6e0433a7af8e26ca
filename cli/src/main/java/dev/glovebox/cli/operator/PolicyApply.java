package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.worker.operator.PolicyWish;
import dev.glovebox.worker.operator.Request;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `glovebox policy apply`.
@Command(
        name = "apply",
        description = {
            "Has running sandboxes judged by another policy from now on. Connections that it does not allow are cut before the"
                    + " command ends. It holds for the session until the worker leaves it, also if its sandbox is replaced, and no"
                    + " change of the worker's files takes it back: --reset does.",
            "",
            "The file is read here and judged by the worker; an invalid one changes nothing. What a session's own networking takes"
                    + " away stays taken away. The change is in the audit log and in `sandbox logs`, with your user.",
            "",
            "To change what all sessions get, those to come included, change the worker's policy file instead.",
            "",
            "Examples:",
            "  glovebox policy apply --policy shut.yaml sesn_01ab",
            "  glovebox policy apply --policy shut.yaml          # every sandbox there is now",
            "  glovebox policy apply --reset sesn_01ab"
        },
        mixinStandardHelpOptions = true)
public final class PolicyApply implements Callable<Integer> {
    /// What a request can hold, with room for what becomes longer on the way.
    private static final int LONGEST = 200 * 1024;

    @Mixin private WorkerChoice worker;

    @Spec private CommandSpec spec;

    @Option(names = "--policy", paramLabel = "FILE", description = "The policy, YAML or JSON.")
    private @Nullable Path policy;

    @Option(names = "--reset", description = "Instead of a policy: the worker's own files.")
    private boolean reset;

    @Parameters(
            arity = "0..*",
            paramLabel = "NAME",
            description = "Sandbox, session, or the beginning of either (default: all).")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        if (reset == (policy != null)) {
            throw new ParameterException(
                    spec.commandLine(), "say --policy FILE or --reset, and not both");
        }
        PolicyWish wish =
                policy == null
                        ? new PolicyWish.Reset(names)
                        : new PolicyWish.Apply(names, text(policy));
        Screen screen = Screen.standard();
        worker.client()
                .ask(new Request.Policy(wish))
                .path("sandboxes")
                .forEach(one ->
                        screen.line(
                                one.path("name").asString()
                                        + "  policy "
                                        + one.path("policy_name").asString()
                                        + "  digest "
                                        + one.path("digest").asString()));
        return 0;
    }

    private static String text(Path file) {
        try {
            String text = Files.readString(file);
            if (text.length() > LONGEST) {
                throw new OperatorException(
                        file + " is longer than " + LONGEST / 1024 + " KiB, too long to be sent");
            }
            return text;
        } catch (IOException e) {
            throw new OperatorException("cannot read policy " + file + ": " + e.getMessage(), e);
        }
    }
}
