package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.OperatorClient;
import dev.glovebox.worker.operator.Printable;
import dev.glovebox.worker.operator.Request;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `glovebox sandbox logs`.
@Command(
        name = "logs",
        description = {
            "Shows the last calls of a session: when, which tool, what for, how long, what came of it, and the end of its output."
                    + " Commands of operators are among them.",
            "",
            "The worker keeps them in memory while it serves the session: at most 256 calls and 64 KiB. Control characters are shown"
                    + " as \\x1b.",
            "",
            "Examples:",
            "  glovebox sandbox logs sesn_01ab",
            "  glovebox sandbox logs sesn_01ab --follow"
        },
        mixinStandardHelpOptions = true)
public final class LogsCommand implements Callable<Integer> {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT).withZone(ZoneId.systemDefault());

    @Mixin private WorkerChoice worker;

    @Option(names = "--json", description = "One JSON object a line, for programs.")
    private boolean json;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with calls to come, until ctrl-c.")
    private boolean follow;

    @Parameters(paramLabel = "NAME", description = "Sandbox, session, or the beginning of either.")
    private String name;

    @Override
    public Integer call() {
        OperatorClient client = worker.client();
        Screen screen = Screen.standard();
        JsonNode answer = client.ask(new Request.Logs(name, 0, false));
        answer.path("calls").forEach(call -> show(screen, call));
        while (follow && screen.open()) {
            long last = answer.path("last").asLong();
            answer = client.ask(new Request.Logs(name, last, true));
            answer.path("calls").forEach(call -> show(screen, call));
        }
        return 0;
    }

    private void show(Screen screen, JsonNode call) {
        boolean running = call.path("number").asLong() == 0;
        if (running && follow) {
            return; // it comes again when it has ended
        }
        if (json) {
            screen.json(call);
            return;
        }
        screen.line(
                TIME.format(Instant.parse(call.path("start").asString()))
                        + "  "
                        + (call.path("who").asString().equals("agent") ? "" : "operator ")
                        + call.path("tool").asString()
                        + "  "
                        + call.path("outcome").asString()
                        + "  "
                        + Amounts.seconds(call.path("millis").asLong())
                        + "  "
                        + call.path("input").asString());
        Printable.lines(call.path("output").asString())
                .lines()
                .forEach(line -> screen.line("    " + line));
    }
}
