package dev.glovebox.cli.operator;

import dev.glovebox.protocol.egress.file.PolicyTree;
import dev.glovebox.worker.operator.PolicyWish;
import dev.glovebox.worker.operator.Request;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `glovebox policy show`.
@Command(
        name = "show",
        description = {
            "Shows what the sandboxes of a running worker are judged by: which policy, since when, by whose word, and whether the"
                    + " policy files as they are now are in use. With a sandbox, prints its policy as it is for that session, what"
                    + " its wishes have taken away included; of credentials the name and the kind of source.",
            "",
            "Examples:",
            "  glovebox policy show",
            "  glovebox policy show sesn_01ab"
        },
        mixinStandardHelpOptions = true)
public final class PolicyShow implements Callable<Integer> {
    private static final int DIGEST_SHOWN = 12;

    @Mixin private WorkerChoice worker;

    @Option(names = "--json", description = "JSON, for programs.")
    private boolean json;

    @Parameters(
            arity = "0..1",
            paramLabel = "NAME",
            defaultValue = "",
            description = "Sandbox, session, or the beginning of either (default: all).")
    private String name;

    @Override
    public Integer call() {
        JsonNode answer = worker.client().ask(new Request.Policy(new PolicyWish.Show(name)));
        Screen screen = Screen.standard();
        if (json) {
            screen.json(answer);
        } else if (name.isEmpty()) {
            overview(screen, answer);
        } else {
            one(screen, answer.path("sandboxes").path(0));
        }
        return 0;
    }

    private static void one(Screen screen, JsonNode sandbox) {
        screen.line(
                "# "
                        + sandbox.path("name").asString()
                        + ": policy "
                        + sandbox.path("policy_name").asString()
                        + ", "
                        + age(sandbox)
                        + " ago by "
                        + sandbox.path("by").asString());
        screen.line("# digest " + sandbox.path("digest").asString());
        trouble(screen, sandbox);
        PolicyTree.yaml(sandbox.path("policy")).lines().forEach(screen::line);
    }

    private static void trouble(Screen screen, JsonNode sandbox) {
        String trouble = sandbox.path("trouble").asString();
        if (!trouble.isEmpty()) {
            screen.line("# nothing may be reached: " + trouble);
        }
    }

    private static void overview(Screen screen, JsonNode answer) {
        List<List<String>> policies = new ArrayList<>();
        answer.path("policies")
                .forEach(one ->
                        policies.add(
                                List.of(
                                        one.path("name").asString(),
                                        one.path("rules").asString(),
                                        one.path("learns").asBoolean() ? "yes" : "no",
                                        digest(one),
                                        one.path("file").asString())));
        screen.table(List.of("POLICY", "RULES", "LEARNS", "DIGEST", "FILE"), policies);
        JsonNode fault = answer.path("fault");
        if (!fault.isMissingNode()) {
            screen.line("");
            screen.line(
                    "the files as they are since "
                            + fault.path("since").asString()
                            + " are wrong; in use is what was read at "
                            + answer.path("read").asString()
                            + ":");
            fault.path("problems").forEach(problem -> screen.line("  " + problem.asString()));
        }
        List<List<String>> sandboxes = new ArrayList<>();
        answer.path("sandboxes")
                .forEach(one ->
                        sandboxes.add(
                                List.of(
                                        one.path("name").asString(),
                                        one.path("session_id").asString(),
                                        one.path("trouble").asString().isEmpty()
                                                ? one.path("policy_name").asString()
                                                : "nothing: " + one.path("trouble").asString(),
                                        one.path("rules").asString(),
                                        digest(one),
                                        age(one),
                                        one.path("by").asString())));
        if (!sandboxes.isEmpty()) {
            screen.line("");
            screen.table(
                    List.of("SANDBOX", "SESSION", "POLICY", "RULES", "DIGEST", "SINCE", "BY"),
                    sandboxes);
        }
    }

    private static String digest(JsonNode one) {
        return one.path("digest").asString().substring(0, DIGEST_SHOWN);
    }

    private static String age(JsonNode one) {
        return Amounts.age(
                Duration.between(Instant.parse(one.path("since").asString()), Instant.now()));
    }
}
