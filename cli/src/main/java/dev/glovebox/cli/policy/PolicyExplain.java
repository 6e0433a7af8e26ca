package dev.glovebox.cli.policy;

import dev.glovebox.cli.config.PolicySettings;
import dev.glovebox.cli.operator.Screen;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Explanation;
import dev.glovebox.protocol.egress.Networking;
import dev.glovebox.protocol.egress.PolicyException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;

/// `glovebox policy explain`: one line a URL.
@Command(
        name = "explain",
        description = {
            "Says for each URL whether the policy lets a sandbox go there: verdict, rule, reason. Nothing is looked up or dialled:"
                    + " a name that leads to a private address is refused later, at the door.",
            "",
            "Examples:",
            "  glovebox policy explain --policy policy.yaml https://api.example.com/v1",
            "  glovebox policy explain --policy policy.yaml --method POST https://api.example.com/v1",
            "  glovebox policy explain --policy policy.yaml tcp://10.0.0.5:5432 ssh://git.example.com",
            "  glovebox policy explain --policy policy.yaml --session-networking"
                    + " '{\"type\":\"limited\",\"allowed_hosts\":[\"api.example.com\"]}' https://other.example.com/"
        },
        mixinStandardHelpOptions = true)
public final class PolicyExplain implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Option(
            names = "--policy",
            required = true,
            paramLabel = "FILE",
            description = "The policy, YAML or JSON.")
    private Path policy;

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            defaultValue = "GET",
            description = "Of the request, where requests are seen (default: ${DEFAULT-VALUE}).")
    private String method;

    @Option(
            names = "--session-networking",
            paramLabel = "JSON",
            description = "What a session wishes to be left of it, as in its metadata.")
    private @Nullable String networking;

    @Option(names = "--json", description = "A JSON array, for programs.")
    private boolean json;

    @Parameters(
            arity = "1..*",
            paramLabel = "URL",
            description =
                    "http, https, ws, wss, ssh, postgres, redis, or tcp://HOST:PORT for anything else.")
    private List<String> urls;

    @Override
    public Integer call() {
        EgressPolicy read = narrowed(PolicySettings.policy(policy));
        Screen screen = Screen.standard();
        ArrayNode all = Json.object().putArray("urls");
        for (String url : urls) {
            Explanation explanation = read.explain(method, url);
            if (json) {
                all.addObject()
                        .put("url", url)
                        .put("method", method)
                        .put("verdict", explanation.decision().verdict().text())
                        .put("rule", explanation.decision().ruleName())
                        .put("reason", explanation.decision().reason());
            } else {
                screen.line(explanation.line());
            }
        }
        if (json) {
            screen.json(all);
        }
        return 0;
    }

    private EgressPolicy narrowed(EgressPolicy whole) {
        if (networking == null) {
            return whole;
        }
        try {
            return Networking.of(Json.tree(networking)).within(whole);
        } catch (JsonException | PolicyException e) {
            throw new ParameterException(
                    spec.commandLine(), "--session-networking: " + e.getMessage(), e);
        }
    }
}
