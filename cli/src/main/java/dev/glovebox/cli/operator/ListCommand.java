package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.Request;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/// `glovebox sandbox list`.
@Command(
        name = "list",
        aliases = "ls",
        description = {
            "Lists the sandboxes of a running worker.",
            "",
            "STATE is ready, busy (a call of the agent runs), paused, warm (waits for a session) or ended. OPS counts commands of exec and attach that run in it"
                    + " now.",
            "",
            "Examples:",
            "  glovebox sandbox list",
            "  glovebox sandbox list --data /srv/glovebox",
            "  glovebox sandbox list --json | jq -r '.[] | select(.state==\"paused\").name'"
        },
        mixinStandardHelpOptions = true)
public final class ListCommand implements Callable<Integer> {
    private static final List<String> HEADER =
            List.of(
                    "NAME",
                    "SESSION",
                    "STATE",
                    "AGE",
                    "MEMORY",
                    "TASKS",
                    "OPS",
                    "TEMPLATE",
                    "PROFILE",
                    "RUNTIME");

    @Mixin private WorkerChoice worker;

    @Option(names = "--json", description = "A JSON array, for programs.")
    private boolean json;

    @Override
    public Integer call() {
        JsonNode sandboxes = worker.client().ask(new Request.Look("")).path("sandboxes");
        Screen screen = Screen.standard();
        if (json) {
            screen.json(sandboxes);
            return 0;
        }
        if (sandboxes.isEmpty()) {
            screen.note("no sandboxes: this worker serves no session now");
            return 0;
        }
        List<List<String>> rows = new ArrayList<>();
        sandboxes.forEach(one -> rows.add(row(one)));
        screen.table(HEADER, rows);
        return 0;
    }

    private static List<String> row(JsonNode one) {
        Instant since = Instant.parse(one.path("since").asString());
        return List.of(
                one.path("name").asString(),
                one.path("session_id").asString(),
                one.path("state").asString(),
                Amounts.age(Duration.between(since, Instant.now())),
                Amounts.bytes(one.path("memory_bytes").asLong()),
                one.path("tasks").asString(),
                one.path("operators").asString(),
                one.path("template").asString(),
                one.path("profile").asString(),
                one.path("runtime").asString());
    }
}
