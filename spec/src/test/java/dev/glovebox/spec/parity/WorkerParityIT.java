package dev.glovebox.spec.parity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.Trees;
import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Hands;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.SourceTree;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.WorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Both workers get the same calls on the same control plane; what they answer is the same, or the
/// difference is wanted and stands with its reason in `parity/differences.json`, from which
/// `docs/worker-differences.md` is made.
///
/// Run with `-Dglovebox.write.docs=true` to write that document anew.
class WorkerParityIT {
    private static final List<String> TABLES = List.of("bash", "files", "search");
    private static final Duration TABLE = Duration.ofSeconds(90);
    private static final Path DOCUMENT = Path.of("docs/worker-differences.md");

    private static final Map<String, Map<String, Outcome>> official = new LinkedHashMap<>();
    private static final Map<String, Map<String, Outcome>> own = new LinkedHashMap<>();
    private static final Map<String, String> wanted = new LinkedHashMap<>();

    @BeforeAll
    static void runBoth() throws IOException {
        for (JsonNode row : JsonMapper.shared().readTree(ParityCase.resource("differences.json"))) {
            wanted.put(row.get("case").asString(), row.get("reason").asString());
        }
        Path folder = Files.createTempDirectory("glovebox-parity-");
        try {
            for (String table : TABLES) {
                official.put(
                        table, run(Hands.OFFICIAL, table, folder.resolve("official-" + table)));
                own.put(table, run(Hands.OWN, table, folder.resolve("own-" + table)));
            }
        } finally {
            Trees.remove(folder);
        }
    }

    @TestFactory
    List<DynamicContainer> everyCall_isAnsweredAlikeOrDifferentOnPurpose() {
        return TABLES.stream()
                .map(table ->
                        DynamicContainer.dynamicContainer(
                                table,
                                official.get(table).keySet().stream()
                                        .map(name ->
                                                DynamicTest.dynamicTest(
                                                        name, () -> check(table, name)))))
                .toList();
    }

    @Test
    void differences_nameOnlyCallsThatExist() {
        List<String> names =
                TABLES.stream()
                        .flatMap(table ->
                                official.get(table).keySet().stream()
                                        .map(name -> table + ": " + name))
                        .toList();
        assertThat(names).hasSizeGreaterThan(80).containsAll(wanted.keySet());
    }

    @Test
    void document_isCurrent() throws IOException {
        Path file = SourceTree.root().resolve(DOCUMENT);
        if (Boolean.getBoolean("glovebox.write.docs")) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, document());
        }
        assertThat(file).content().isEqualTo(document());
    }

    private static void check(String table, String name) {
        Outcome expected = official.get(table).get(name);
        Outcome answered = own.get(table).get(name);
        if (wanted.containsKey(table + ": " + name)) {
            assertThat(answered)
                    .as("wanted difference, but there is none any more")
                    .isNotEqualTo(expected);
        } else {
            assertThat(answered).isEqualTo(expected);
        }
    }

    private static Map<String, Outcome> run(Hands hands, String table, Path folder)
            throws IOException {
        Files.createDirectories(folder);
        try (Desk desk = Desk.open();
                WorkerProcess _ = hands.serving(desk, Duration.ofSeconds(60), folder)) {
            String workdir = hands.inside(folder, ".").replaceFirst("/\\.$", "");
            return run(desk, table, workdir);
        }
    }

    private static Map<String, Outcome> run(Desk desk, String table, String workdir) {
        List<ParityCase> cases = ParityCase.table(table);
        Script script = new Script();
        for (ParityCase call : cases) {
            script.tool(call.tool(), call.inputIn(workdir));
        }
        List<Talk.Call> calls = desk.talk().say(script).awaitTurns(1, TABLE).calls();
        assertThat(calls).hasSameSizeAs(cases);
        Map<String, Outcome> outcomes = new LinkedHashMap<>();
        for (int i = 0; i < calls.size(); i++) {
            outcomes.put(cases.get(i).name(), Outcome.of(calls.get(i), workdir));
        }
        return outcomes;
    }

    private static String document() {
        List<String> lines = new ArrayList<>();
        int calls = TABLES.stream().mapToInt(table -> official.get(table).size()).sum();
        lines.add("# Where our worker answers differently, on purpose");
        lines.add("");
        lines.add(
                "Written by `WorkerParityIT`, which gives the same "
                        + calls
                        + " calls to the official TypeScript worker");
        lines.add(
                "(`@anthropic-ai/sdk` 1.11.0, no sandbox) and to ours and fails on every difference that is not listed here.");
        for (String table : TABLES) {
            lines.add("");
            lines.add("## " + table);
            lines.add("");
            lines.add("| call | official worker | ours | why |");
            lines.add("|---|---|---|---|");
            for (ParityCase call : ParityCase.table(table)) {
                String key = table + ": " + call.name();
                if (wanted.containsKey(key)) {
                    lines.add(
                            "| "
                                    + call.name()
                                    + " | "
                                    + official.get(table).get(call.name()).brief()
                                    + " | "
                                    + own.get(table).get(call.name()).brief()
                                    + " | "
                                    + wanted.get(key)
                                    + " |");
                }
            }
        }
        return String.join("\n", lines) + "\n";
    }
}
