package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `glovebox sandbox stats`.
@Command(
        name = "stats",
        description = {
            "Shows what sandboxes use: memory with its limit, processor time, tasks with their limit, processes killed for want of"
                    + " memory, destinations refused, calls of the agent.",
            "",
            "Examples:",
            "  glovebox sandbox stats",
            "  glovebox sandbox stats sesn_01ab --watch"
        },
        mixinStandardHelpOptions = true)
public final class StatsCommand implements Callable<Integer> {
    private static final List<String> HEADER =
            List.of("NAME", "STATE", "MEMORY", "CPU TIME", "TASKS", "OOM", "REFUSED", "CALLS");
    private static final int PERIOD_SECONDS = 2;

    @Mixin private WorkerChoice worker;

    @Option(names = "--json", description = "A JSON array, for programs.")
    private boolean json;

    @Option(names = "--watch", description = "Again every 2 s, until ctrl-c.")
    private boolean watch;

    @Parameters(
            arity = "0..1",
            paramLabel = "NAME",
            defaultValue = "",
            description = "Sandbox, session, or the beginning of either (default: all).")
    private String name;

    @Override
    public Integer call() throws InterruptedException {
        Screen screen = Screen.standard();
        boolean again;
        do {
            JsonNode sandboxes = worker.client().ask(new Request.Look(name)).path("sandboxes");
            if (watch && !json) {
                screen.clear();
            }
            show(screen, sandboxes);
            // counted down by nobody: SIGINT ends the process
            again = watch && !new CountDownLatch(1).await(PERIOD_SECONDS, TimeUnit.SECONDS);
        } while (again);
        return 0;
    }

    private void show(Screen screen, JsonNode sandboxes) {
        if (json) {
            screen.json(sandboxes);
            return;
        }
        List<List<String>> rows = new ArrayList<>();
        sandboxes.forEach(one -> rows.add(row(one)));
        screen.table(HEADER, rows);
    }

    private static List<String> row(JsonNode one) {
        return List.of(
                one.path("name").asString(),
                one.path("state").asString(),
                Amounts.bytes(one.path("memory_bytes").asLong())
                        + "/"
                        + Amounts.bytes(one.path("memory_limit_bytes").asLong()),
                Amounts.seconds(one.path("cpu_millis").asLong()),
                one.path("tasks").asString() + "/" + one.path("tasks_limit").asString(),
                one.path("oom_kills").asString(),
                one.path("refused").asString(),
                one.path("calls").asString());
    }
}
