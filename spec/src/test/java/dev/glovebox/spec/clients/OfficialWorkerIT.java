package dev.glovebox.spec.clients;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Hands;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.WorkerProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The official `EnvironmentWorker`, unmodified, serves a session on our control plane.
class OfficialWorkerIT {
    private static final Duration TURN = Duration.ofSeconds(30);

    @Test
    void allSixTools_twiceInARowOnOneSession(@TempDir Path folder) {
        try (Desk desk = Desk.open();
                WorkerProcess _ = Hands.OFFICIAL.serving(desk, Duration.ofSeconds(60), folder)) {
            Talk talk = desk.talk();
            talk.say(allTools("first")).awaitTurns(1, TURN);
            check(talk.calls(), folder, "first");
            talk.say(allTools("second")).awaitTurns(2, TURN);
            check(talk.calls().subList(6, 12), folder, "second");
            assertThat(talk.session().get("status").asString()).isEqualTo("idle");
        }
    }

    private static Script allTools(String round) {
        String file = round + ".txt";
        return new Script()
                .say("I try all tools")
                .tool("write", Map.of("file_path", file, "content", "one\ntwo\n"))
                .tool("edit", Map.of("file_path", file, "old_string", "two", "new_string", round))
                .tool("read", Map.of("file_path", file))
                .tool("bash", Map.of("command", "cat " + file + " | wc -l"))
                .tool("glob", Map.of("pattern", round + "*"))
                .tool("grep", Map.of("pattern", "^" + round + "$"));
    }

    private static void check(List<Talk.Call> calls, Path folder, String round) {
        String file = round + ".txt";
        assertThat(calls).extracting(Talk.Call::state).containsOnly("ok");
        assertThat(calls)
                .extracting(call -> call.text().strip())
                .containsExactly(
                        "wrote 8 bytes to " + file,
                        "edited " + file + " (1 replacement(s))",
                        "one\n" + round,
                        "2",
                        Hands.OFFICIAL.inside(folder, file),
                        Hands.OFFICIAL.inside(folder, file) + ":2:" + round);
    }
}
