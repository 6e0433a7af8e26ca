package dev.glovebox.cli;

import dev.glovebox.protocol.Json;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `glovebox environment-key`: the keys with which workers serve an environment of `glovebox up`.
@Command(
        name = "environment-key",
        description = {
            "Creates, lists and revokes the keys of a self-hosted environment on a control plane of `glovebox up`.",
            "",
            "Base URL from ANTHROPIC_BASE_URL (default http://127.0.0.1:8600), API key from ANTHROPIC_API_KEY or, with --data, from"
                    + " DIR/credentials.json."
        },
        mixinStandardHelpOptions = true)
final class EnvironmentKeyCommand implements Callable<Integer> {
    private static final int PAGE = 100;

    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(), "environment-key: say what to do: create, list or revoke");
    }

    @Command(
            name = "create",
            description = "Makes a key and prints it, once and on standard output only.",
            mixinStandardHelpOptions = true)
    int create(
            @Parameters(paramLabel = "env_...") String environment,
            @Option(names = "--name", defaultValue = "", description = "For people.") String name,
            @Option(names = "--data", paramLabel = "DIR") @Nullable Path data) {
        ObjectNode body = Json.object();
        if (!name.isEmpty()) {
            body.put("name", name);
        }
        JsonNode made = ApiCall.with(data).post(keys(environment), body);
        System.err.println("created " + made.path("id").asString(""));
        Terminal.standard().line(made.path("key").asString(""));
        return 0;
    }

    @Command(
            name = "list",
            description = "Lists keys, never the keys themselves.",
            mixinStandardHelpOptions = true)
    int list(
            @Parameters(paramLabel = "env_...") String environment,
            @Option(names = "--data", paramLabel = "DIR") @Nullable Path data) {
        ApiCall api = ApiCall.with(data);
        List<List<String>> rows = new ArrayList<>();
        String next = "";
        do {
            JsonNode page =
                    api.get(
                            keys(environment)
                                    + "?limit="
                                    + PAGE
                                    + "&page="
                                    + URLEncoder.encode(next, StandardCharsets.UTF_8));
            page.path("data").forEach(k -> rows.add(row(k)));
            next = page.path("next_page").asString("");
        } while (!next.isEmpty());
        Terminal.standard().table(List.of("ID", "NAME", "CREATED", "REVOKED"), rows);
        return 0;
    }

    @Command(
            name = "revoke",
            description = "Makes a key useless at once.",
            mixinStandardHelpOptions = true)
    int revoke(
            @Parameters(paramLabel = "env_...") String environment,
            @Parameters(paramLabel = "envkey_...") String key,
            @Option(names = "--data", paramLabel = "DIR") @Nullable Path data) {
        ApiCall.with(data).delete(keys(environment) + "/" + segment(key));
        System.err.println("revoked " + key);
        return 0;
    }

    private static List<String> row(JsonNode key) {
        return List.of(
                key.path("id").asString(""),
                key.path("name").asString(""),
                key.path("created_at").asString(""),
                key.path("revoked_at").asString("-"));
    }

    private static String keys(String environment) {
        return "/glovebox/v1/environments/" + segment(environment) + "/keys";
    }

    private static String segment(String id) {
        return URLEncoder.encode(id, StandardCharsets.UTF_8);
    }
}
