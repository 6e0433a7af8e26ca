package dev.glovebox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.cli.Glovebox.Result;
import dev.glovebox.protocol.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The verbs that go on until they are told to end, and the one that tries everything. Needs root.
final class ServeIT {
    @TempDir Path directory;

    @Test
    void upServesAndAWorkerElsewherePollsUntilBothAreToldToEnd() throws IOException {
        Path data = directory.resolve("plane");
        try (Glovebox plane =
                Glovebox.start(
                        directory,
                        Map.of(),
                        "up",
                        "--no-worker",
                        "--data",
                        data.toString(),
                        "--listen",
                        "127.0.0.1:0")) {
            String url = plane.awaitLine("ready http://127.0.0.1:").substring("ready ".length());
            Path file = data.resolve("credentials.json");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-------");
            JsonNode credentials = Json.tree(Files.readString(file));
            String environment = credentials.path("environment_id").asString("");
            Path key = directory.resolve("key");
            Files.writeString(key, credentials.path("environment_key").asString("") + "\n");
            try (Glovebox worker =
                    Glovebox.start(
                            directory,
                            Map.of(
                                    "ANTHROPIC_BASE_URL",
                                    url,
                                    "ANTHROPIC_ENVIRONMENT_ID",
                                    environment,
                                    "ANTHROPIC_ENVIRONMENT_KEY_FILE",
                                    key.toString()),
                            "worker",
                            "--data",
                            directory.resolve("worker").toString())) {
                assertThat(worker.awaitLine("polling ")).isEqualTo("polling " + environment);
                worker.terminate();
                assertThat(worker.end().code()).isZero();
            }
            plane.terminate();
            assertThat(plane.end().code()).isZero();
        }
    }

    @Test
    void aSecondControlPlaneGetsNeitherTheDirectoryNorThePortOfTheFirst() throws IOException {
        String data = directory.resolve("plane").toString();
        try (Glovebox first = up(data, "127.0.0.1:0")) {
            String address = first.awaitLine("ready http://").substring("ready http://".length());
            try (var store = Files.list(Path.of(data))) {
                assertThat(store.filter(f -> f.getFileName().toString().startsWith("control.")))
                        .isNotEmpty()
                        .allSatisfy(f ->
                                assertThat(
                                                PosixFilePermissions.toString(
                                                        Files.getPosixFilePermissions(f)))
                                        .isEqualTo("rw-------"));
            }
            try (Glovebox second = up(data, "127.0.0.1:0")) {
                Result result = second.end();
                assertThat(result.code()).isNotZero();
                assertThat(result.err())
                        .contains(data)
                        .contains("another control plane")
                        .doesNotContain("\tat ");
            }
            try (Glovebox third = up(directory.resolve("other").toString(), address)) {
                Result result = third.end();
                assertThat(result.code()).isNotZero();
                assertThat(result.err()).contains(address).doesNotContain("\tat ");
            }
        }
    }

    private Glovebox up(String data, String listen) {
        return Glovebox.start(
                directory, Map.of(), "up", "--no-worker", "--data", data, "--listen", listen);
    }

    @Test
    void aWorkerWithoutWhatItNeedsSaysWhatIsMissing() {
        Result result = Glovebox.run(directory, "", "worker", "--data", directory.toString());
        assertThat(result.code()).isNotZero();
        assertThat(result.err()).contains("ANTHROPIC_ENVIRONMENT_ID").doesNotContain("\tat ");
    }

    @Test
    void aWrongConfigurationStartsNothing() throws IOException {
        Path config = Files.writeString(directory.resolve("c.yaml"), "max-sesions: 3\n");
        Path data = directory.resolve("untouched");
        Result result =
                Glovebox.run(
                        directory,
                        "",
                        "up",
                        "--data",
                        data.toString(),
                        "--config",
                        config.toString());
        assertThat(result.code()).isNotZero();
        assertThat(result.err()).contains("line 1").contains("did you mean max-sessions?");
        assertThat(data).doesNotExist();
    }

    @Test
    void theDemoHappens() {
        Result result = Glovebox.run(directory, "", "demo");
        assertThat(result.out()).as(result.err()).contains("all of it really happened");
        assertThat(result.code()).isZero();
    }

    @Test
    void theDoctorFindsThisHostUsableAndTellsMachinesSo() {
        Result result = Glovebox.run(directory, "", "doctor", "--json");
        JsonNode report = Json.tree(result.out());
        assertThat(report.path("usable").asBoolean()).as(result.out()).isTrue();
        assertThat(report.path("facts").size()).isGreaterThan(15);
        assertThat(result.code()).isZero();
    }

    @Test
    void policyExplainGivesOneLineForEachUrl() throws IOException {
        Path policy =
                Files.writeString(
                        directory.resolve("p.yaml"),
                        "rules:\n  - {name: site, host: good.test, port: 443, action: allow}\n");
        Result result =
                Glovebox.run(
                        directory,
                        "",
                        "policy",
                        "explain",
                        "--policy",
                        policy.toString(),
                        "https://good.test/",
                        "https://evil.test/");
        assertThat(result.out().lines())
                .satisfiesExactly(
                        line -> assertThat(line).startsWith("allow ").contains("site"),
                        line -> assertThat(line).startsWith("deny ").contains("evil.test"));
        assertThat(result.code()).isZero();
    }
}
