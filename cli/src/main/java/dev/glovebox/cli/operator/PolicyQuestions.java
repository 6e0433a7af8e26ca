package dev.glovebox.cli.operator;

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
import tools.jackson.databind.JsonNode;

/// `glovebox policy questions`.
@Command(
        name = "questions",
        description = {
            "Lists what sandboxes want to reach and a rule with `action: ask` leaves to you. A connection waits for 30 s, then it"
                    + " is refused and the question stays, for the next try. WAITING is how many connections wait now.",
            "",
            "Examples:",
            "  glovebox policy questions",
            "  glovebox policy allow sesn_01ab example.com:443",
            "  glovebox policy deny sesn_01ab example.com:443"
        },
        mixinStandardHelpOptions = true)
public final class PolicyQuestions implements Callable<Integer> {
    @Mixin private WorkerChoice worker;

    @Option(names = "--json", description = "JSON, for programs.")
    private boolean json;

    @Override
    public Integer call() {
        JsonNode answer = worker.client().ask(new Request.Policy(new PolicyWish.Questions()));
        Screen screen = Screen.standard();
        if (json) {
            screen.json(answer);
            return 0;
        }
        List<List<String>> rows = new ArrayList<>();
        answer.path("questions")
                .forEach(one ->
                        rows.add(
                                List.of(
                                        one.path("name").asString(),
                                        one.path("session_id").asString(),
                                        one.path("destination").asString(),
                                        one.path("rule").asString(),
                                        age(one),
                                        one.path("waiting").asString())));
        if (rows.isEmpty()) {
            screen.note("no sandbox asks for anything");
        } else {
            screen.table(
                    List.of("SANDBOX", "SESSION", "DESTINATION", "RULE", "SINCE", "WAITING"), rows);
        }
        return 0;
    }

    private static String age(JsonNode one) {
        return Amounts.age(
                Duration.between(Instant.parse(one.path("since").asString()), Instant.now()));
    }
}
