package dev.glovebox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.glovebox.cli.Glovebox.Result;
import dev.glovebox.protocol.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// `glovebox sandbox list|attach|exec|logs|stats|pause|resume|delete` as a person uses them, at a
/// real terminal, against `glovebox up` with a session. Needs root and tmux.
final class OperatorVerbsIT {
    @TempDir static Path directory;

    private static Glovebox up;
    private static String url;
    private static String key;
    private static String data;
    private static String session;
    private static Path program;

    @BeforeAll
    static void serve() throws Exception {
        data = directory.resolve("data").toString();
        Path config = Files.writeString(directory.resolve("w.yaml"), "max-idle: 0s\n");
        up =
                Glovebox.start(
                        directory,
                        Map.of(),
                        "up",
                        "--data",
                        data,
                        "--listen",
                        "127.0.0.1:0",
                        "--config",
                        config.toString());
        url = up.awaitLine("ready http").substring("ready ".length());
        JsonNode credentials = Json.tree(Files.readString(Path.of(data, "credentials.json")));
        key = credentials.path("api_key").asString("");
        session = session(credentials.path("environment_id").asString(""));
        program =
                Files.writeString(
                        directory.resolve("glovebox"),
                        "#!/bin/sh\nverb=$1; shift; echo $$ > pid; exec '"
                                + Path.of(System.getProperty("java.home"), "bin", "java")
                                + "' --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC"
                                + " -XX:TieredStopAtLevel=1 -cp '"
                                + System.getProperty("java.class.path")
                                + "' "
                                + Main.class.getName()
                                + " sandbox \"$verb\" --data '"
                                + data
                                + "' \"$@\"\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        say("printf 'a\\033]2;from-the-logs\\007b\\n'");
        String seen = "";
        while (!seen.contains("from-the-logs")) {
            seen = run("logs", session, "--json").out();
        }
    }

    @AfterAll
    static void end() {
        up.terminate();
        up.end();
        up.close();
    }

    @Test
    void listStatsAndLogs_showWhatIsThere() {
        assertThat(run("list").out()).contains("NAME").contains(session).contains("strict");
        JsonNode listed = Json.tree(run("list", "--json").out());
        assertThat(listed.findValuesAsString("session_id")).contains(session);
        assertThat(run("stats", session).out()).contains("CPU TIME").contains("/2.0G");
        Result logs = run("logs", session);
        assertThat(logs.out()).contains("bash  ok").contains("a\\x1b]2;from-the-logs\\x07b");
        assertThat(logs.out() + run("logs", session, "--json").out()).doesNotContain("\u001b");
    }

    @Test
    void list_needsNoServerAndNoProxy() throws IOException {
        Path classes = directory.resolve("classes");
        try (Glovebox list =
                Glovebox.start(
                        directory,
                        Map.of(
                                "JAVA_TOOL_OPTIONS",
                                "-Xlog:class+load:file=" + classes + " -XX:TieredStopAtLevel=1"),
                        "sandbox",
                        "list",
                        "--data",
                        data)) {
            assertThat(list.end().code()).isZero();
        }
        String loaded = Files.readString(classes);
        assertThat(loaded).contains("dev.glovebox.worker.operator.OperatorClient");
        assertThat(loaded).doesNotContain("io.netty", "io.helidon", "com.anthropic", "org.sqlite");
    }

    @Test
    void exec_passesInputOutputAndExitCode() {
        Result result = input("words\n", "exec", session, "--", "sh", "-c", "cat; exit 3");
        assertThat(result.out()).isEqualTo("words\n");
        assertThat(result.code()).isEqualTo(3);
        assertThat(run("exec", session, "--", "/no/such").code()).isEqualTo(125);
    }

    @Test
    void whatCannotBeDone_isOneLineWithTheWayOut() {
        Result none = Glovebox.run(directory, "", "sandbox", "list", "--data", "/nonexistent");
        assertThat(none.code()).isNotZero();
        assertThat(none.err())
                .contains("no worker listens")
                .contains("glovebox up")
                .hasLineCount(1);
        assertThat(run("pause", "nobody").err()).contains("there are: " + session).hasLineCount(1);
        assertThat(run("attach", session).err()).contains("sandbox exec").hasLineCount(1);
        assertThat(run("delete", session).err()).contains("--yes").hasLineCount(1);
        assertThat(run("delete", "").code()).isNotZero();
        assertThat(run("list").out()).contains(session);
    }

    @Test
    void attach_isARealTerminal() throws IOException {
        try (Tmux person = new Tmux(directory)) {
            person.type("stty -a | tail -n +2 > before; ./glovebox attach " + session, "Enter");
            person.awaitLine("agent@");
            person.clear();
            person.type("tty; stty size; echo hi", "Enter");
            person.awaitLine("hi");
            assertThat(person.shown()).contains("/dev/pts/").contains("30 100");

            person.resize(120, 40);
            person.clear();
            person.type("until stty size | grep -x '40 120'; do :; done", "Enter");
            person.awaitLine("40 120");

            person.type("echo slee''ping; sleep 1000", "Enter");
            person.awaitLine("sleeping");
            person.type("C-c");
            person.type("echo last=$?", "Enter");
            person.awaitLine("last=130");

            // what a program inside sends to the terminal arrives there
            person.type("printf '\\033]2;from-inside\\007'; echo ti''tled", "Enter");
            person.awaitLine("titled");
            assertThat(person.title()).isEqualTo("from-inside");

            person.clear();
            person.type("(exit 6)", "Enter", "C-d");
            person.awaitLine("outer>");
            person.type("echo code=$?; stty -a | tail -n +2 > after", "Enter");
            person.awaitLine("code=6");
            person.type("echo clo''sed", "Enter");
            person.awaitLine("closed");
            assertThat(directory.resolve("after"))
                    .hasSameTextualContentAs(directory.resolve("before"));

            // and what it left in the logs does not
            person.type("clear; ./glovebox logs " + session + "; echo lo''gged", "Enter");
            person.awaitLine("logged");
            assertThat(person.shown()).contains("\\x1b]2;from-the-logs");
            assertThat(person.title()).isEqualTo("from-inside");
        }
    }

    @Test
    void attach_givesTheTerminalBackWhenItIsEndedOrLeft() throws IOException {
        try (Tmux person = new Tmux(directory)) {
            String then = "; echo code=$?; stty -a > after; echo ov''er";
            person.type("stty -a > before; ./glovebox attach " + session + then, "Enter");
            person.awaitLine("agent@");
            person.type("kill -9 $$", "Enter");
            person.awaitLine("over");
            person.awaitLine("code=137");
            assertThat(directory.resolve("after"))
                    .hasSameTextualContentAs(directory.resolve("before"));

            person.type(
                    "clear; ./glovebox attach "
                            + session
                            + " -- sh -c 'echo first-$((1+1)); sleep 6789'"
                            + then,
                    "Enter");
            person.awaitLine("first-2");
            assertThat(client().destroy()).isTrue();
            person.awaitLine("over");
            person.awaitLine("code=143");
            assertThat(directory.resolve("after"))
                    .hasSameTextualContentAs(directory.resolve("before"));

            person.type(
                    "clear; ./glovebox attach "
                            + session
                            + " -- sh -c 'echo second-$((1+1)); sleep 7890'"
                            + then,
                    "Enter");
            person.awaitLine("second-2");
            person.type("C-p", "C-q");
            person.awaitLine("over");
            person.awaitLine("detached");
            assertThat(directory.resolve("after"))
                    .hasSameTextualContentAs(directory.resolve("before"));
            assertThat(run("exec", session, "--", "ps", "ax").out())
                    .contains("sleep 7890")
                    .doesNotContain("sleep 6789");
            run("exec", session, "--", "pkill", "-f", "sleep 7890");
        }
    }

    @Test
    void pauseResumeAndDelete_actOnTheSandbox() {
        assertThat(run("pause", session).out()).startsWith("paused ");
        assertThat(run("list").out()).contains("paused");
        assertThat(run("exec", session, "--", "true").err()).contains("glovebox sandbox resume");
        assertThat(run("resume", session).out()).startsWith("resumed ");
        assertThat(run("exec", session, "--", "echo", "on").out()).isEqualTo("on\n");
        try (Tmux person = new Tmux(directory)) {
            person.type("./glovebox delete " + session, "Enter");
            person.awaitLine("delete ");
            person.type("n", "Enter");
            person.awaitLine("nothing deleted");
        }
        assertThat(run("list").out()).contains(session);
    }

    @Test
    void policies_areShownGivenAndGivenBack() throws IOException {
        Path given =
                Files.writeString(
                        directory.resolve("given.yaml"),
                        """
                        rules: [{name: api, host: api.test, protocol: https, credential: key, action: allow}]
                        credentials: [{name: key, source: {env: PATH}}]
                        """);
        assertThat(policy("show").out()).contains("POLICY", "default", "SANDBOX", session);
        Result applied = policy("apply", "--policy", given.toString(), session);
        assertThat(applied.out()).contains("policy by hand").contains("digest ");
        Result shown = policy("show", session);
        assertThat(shown.out())
                .contains("# digest ", "operator root", "host: api.test", "source: env")
                .doesNotContain("PATH");
        assertThat(run("logs", session).out()).contains("operator policy");
        Path bad = Files.writeString(directory.resolve("bad.yaml"), "rules: [x]");
        assertThat(policy("apply", "--policy", bad.toString()).err())
                .contains("nothing has changed")
                .contains("rules[0]");
        assertThat(policy("apply", session).err()).contains("--policy FILE or --reset");
        assertThat(policy("apply", "--reset", session).out()).contains("policy default");
        assertThat(policy("show", session).out()).contains("rules: []");
        assertThat(Glovebox.run(directory, "", "audit", "query", "--data", data).out())
                .contains("by operator root")
                .contains("by session start: policy default");
    }

    @Test
    void questions_areListedAndAnswered() throws Exception {
        HttpServer server =
                HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 9);
        server.createContext(
                "/",
                exchange -> {
                    exchange.sendResponseHeaders(200, 2);
                    exchange.getResponseBody().write("hi".getBytes(StandardCharsets.US_ASCII));
                    exchange.close();
                });
        server.start();
        Path asks =
                Files.writeString(
                        directory.resolve("asks.yaml"),
                        """
                        rules:
                          - {name: asked, host: asked.test, protocol: http, action: ask, connect: "127.0.0.1:PORT"}
                          - {name: other, host: other.test, protocol: http, action: ask, connect: "127.0.0.1:PORT"}
                        """
                                .replace("PORT", "" + server.getAddress().getPort()));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            assertThat(policy("apply", "--policy", asks.toString(), session).code()).isZero();
            assertThat(policy("questions").err()).contains("no sandbox asks for anything");
            Future<Result> waiting =
                    threads.submit(
                            () -> run("exec", session, "--", "curl", "-s", "http://asked.test/"));
            awaitQuestion("asked.test:80");
            assertThat(policy("allow", session, "other.test:80").err())
                    .contains("has not asked for other.test:80", "glovebox policy questions");
            assertThat(policy("allow", session, "asked.test").err()).contains("is not HOST:PORT");
            assertThat(policy("allow", "--for", "1h", session, "asked.test:80").out())
                    .contains("may reach asked.test:80 for 1h");
            assertThat(waiting.get().out()).isEqualTo("hi");

            Future<Result> refused =
                    threads.submit(
                            () -> run("exec", session, "--", "curl", "-s", "http://other.test/"));
            awaitQuestion("other.test:80");
            assertThat(policy("deny", session, "other.test:80").out()).contains("may not reach");
            assertThat(refused.get().out()).contains("the operator has refused it");
            assertThat(run("logs", session).out()).contains("allow asked.test:80");
        } finally {
            policy("apply", "--reset", session);
            server.stop(0);
        }
    }

    private static void awaitQuestion(String destination) {
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!policy("questions", "--json").out().contains(destination)) {
            assertThat(System.nanoTime()).as("waited too long").isLessThan(end);
        }
    }

    private static Result policy(String verb, String... arguments) {
        List<String> all = new ArrayList<>(List.of("policy", verb, "--data", data));
        all.addAll(List.of(arguments));
        return Glovebox.run(directory, "", all.toArray(String[]::new));
    }

    /// The process that a person started last.
    private static ProcessHandle client() throws IOException {
        long pid = Long.parseLong(Files.readString(directory.resolve("pid")).strip());
        return ProcessHandle.of(pid).orElseThrow();
    }

    private static Result run(String... arguments) {
        return input("", arguments);
    }

    private static Result input(String input, String... arguments) {
        List<String> all = new ArrayList<>(List.of("sandbox", arguments[0]));
        all.addAll(List.of("--data", data));
        all.addAll(List.of(arguments).subList(1, arguments.length));
        return Glovebox.run(directory, input, all.toArray(String[]::new));
    }

    /// A session of an agent that runs what it is told.
    private static String session(String environment) throws Exception {
        ObjectNode agent = Json.object().put("name", "hand").put("model", "glovebox-script");
        agent.putArray("tools").addObject().put("type", "agent_toolset_20260401");
        String id = post("/v1/agents", agent).path("id").asString("");
        return post(
                        "/v1/sessions",
                        Json.object()
                                .put("agent", id)
                                .put("environment_id", environment)
                                .put("title", "by hand"))
                .path("id")
                .asString("");
    }

    /// Has the agent run a command.
    private static void say(String command) throws Exception {
        ObjectNode script = Json.object();
        script.putArray("steps")
                .addObject()
                .put("tool", "bash")
                .set("input", Json.object().put("command", command));
        ObjectNode events = Json.object();
        ObjectNode event = events.putArray("events").addObject().put("type", "user.message");
        event.putArray("content").addObject().put("type", "text").put("text", Json.write(script));
        post("/v1/sessions/" + session + "/events", events);
    }

    private static JsonNode post(String path, ObjectNode body) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer =
                    http.send(
                            HttpRequest.newBuilder(URI.create(url + path))
                                    .header("x-api-key", key)
                                    .header("anthropic-version", "2023-06-01")
                                    .header("anthropic-beta", "managed-agents-2026-04-01")
                                    .header("content-type", "application/json")
                                    .POST(HttpRequest.BodyPublishers.ofString(Json.write(body)))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            return Json.tree(answer.body());
        }
    }
}
