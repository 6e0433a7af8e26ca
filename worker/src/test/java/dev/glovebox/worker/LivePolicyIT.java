package dev.glovebox.worker;

import static dev.glovebox.worker.WorkerRig.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.egress.audit.AuditTrail;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Networking;
import dev.glovebox.protocol.egress.file.PolicyTree;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.worker.operator.OperatorClient;
import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.worker.operator.OperatorLimits;
import dev.glovebox.worker.operator.OperatorServer;
import dev.glovebox.worker.operator.OperatorSocket;
import dev.glovebox.worker.operator.PolicyWish;
import dev.glovebox.worker.operator.Request;
import dev.glovebox.worker.policy.PolicyFiles;
import dev.glovebox.worker.policy.Wish;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/// Policies that change while sessions run: a control plane over real HTTP, real doors, real
/// sandboxes, and an operator.
@Timeout(180)
class LivePolicyIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String S = "sesn_1";

    @TempDir Path state;
    private final FakeControlPlane plane = new FakeControlPlane();
    private ServerSocket upstream;
    private Path file;
    private Sandboxes sandboxes;
    private AuditLog audit;
    private Doors doors;
    private Worker worker;
    private OperatorServer operators;
    private OperatorClient operator;
    private Thread running;

    @BeforeEach
    void files() throws IOException {
        upstream = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"));
        file = state.resolve("policy.yaml");
        Files.writeString(file, allow("good.test"));
        Files.writeString(state.resolve("build.yaml"), allow("build.test"));
    }

    private String allow(String... hosts) {
        StringBuilder text = new StringBuilder("rules:\n");
        for (String host : hosts) {
            text.append(
                    "  - {name: HOST, host: HOST, port: 7000, protocol: tcp, action: allow, connect: \"127.0.0.1:PORT\"}\n"
                            .replace("HOST", host)
                            .replace("PORT", "" + upstream.getLocalPort()));
        }
        return text.toString();
    }

    private void start(int warm, Wish... honoured) {
        sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
        audit = AuditLog.open(AuditConfig.at(state.resolve("audit")));
        doors = Doors.open(EgressConfig.at(state.resolve("doors")).withAudit(audit));
        PolicyFiles files =
                new PolicyFiles(
                        Optional.of(file),
                        Map.of("build", state.resolve("build.yaml")),
                        new Networking.Unrestricted(),
                        Set.of(honoured));
        WorkerConfig config =
                plane.worker(state)
                        .withMaxIdle(Duration.ZERO)
                        .withPlace(
                                PlaceConfig.DEFAULT
                                        .withPolicies(files)
                                        .withWarm(new Warm(warm, PoolConfig.DEFAULT_MAX_AGE)));
        worker = new Worker(config, sandboxes, doors, Workspaces.open(state.resolve("ws")));
        operators =
                OperatorServer.open(
                        OperatorSocket.in(state), worker.roster(), OperatorLimits.DEFAULT);
        operator = new OperatorClient(operators.socket());
        running = Thread.ofVirtual().name("worker").start(worker::run);
        if (warm > 0) {
            await(() -> sandboxesThatWait() > 0);
        }
    }

    private long sandboxesThatWait() {
        return ask(new Request.Look(""))
                .path("sandboxes")
                .valueStream()
                .filter(one -> one.path("state").asString().equals("warm"))
                .count();
    }

    @AfterEach
    void stop() throws Exception {
        operators.close();
        worker.close();
        running.join();
        doors.close();
        audit.close();
        sandboxes.close();
        plane.close();
        upstream.close();
    }

    private void serve(String session) {
        plane.session(session);
        plane.enqueue(session);
    }

    /// A connection of the agent's that stays open, as its server sees it.
    private Socket held(String session, String host) throws IOException {
        plane.toolUse(
                session,
                "(exec 3<>/dev/tcp/"
                        + host
                        + "/7000; echo up >&3; cat <&3 >/dev/null) >/dev/null 2>&1 &");
        Socket socket = upstream.accept();
        socket.setSoTimeout((int) PATIENCE.toMillis());
        assertThat(socket.getInputStream().readNBytes(3))
                .isEqualTo("up\n".getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /// Waits until a connection is cut.
    private static void ends(Socket socket) {
        try {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("reset");
        }
    }

    private static boolean lives(Socket socket) {
        try {
            socket.getOutputStream().write("still there?\n".getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(300);
            return socket.getInputStream().read() >= 0;
        } catch (java.net.SocketTimeoutException e) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private void exchange(String text) throws IOException {
        Path next = Files.writeString(state.resolve(".policy.yaml.swp"), text);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
    }

    /// An open connection does not outlive the policy that allowed it, and a broken file neither
    /// opens nor closes anything (D35).
    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void aFileExchangedOnDisk_cutsRunningConnectionsWithinASecond(int warm) throws Exception {
        start(warm);
        serve(S);
        List<Duration> times = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            exchange(allow("good.test", "stays.test"));
            await(() -> policyOf(S).path("rules").asInt() == 2);
            try (Socket gone = held(S, "good.test");
                    Socket stays = held(S, "stays.test")) {
                exchange(
                        "rules: [{name: r, host: good.test, action: allow, port: 7000, protocol: any}]");
                await(() -> ask(show("")).has("fault"));
                assertThat(ask(show("")).path("fault").path("problems").path(0).asString())
                        .contains("policy.yaml", "rules[0].protocol", "line 1");
                assertThat(lives(gone)).as("after a broken file").isTrue();
                assertThat(answer(S, "exec 3<>/dev/tcp/evil.test/7000; echo $?"))
                        .contains("evil.test: Temporary failure in name resolution");

                long start = System.nanoTime();
                exchange(allow("stays.test"));
                ends(gone);
                times.add(Duration.ofNanos(System.nanoTime() - start));
                assertThat(lives(stays)).isTrue();
            }
            assertThat(answer(S, "exec 3<>/dev/tcp/good.test/7000; echo $?"))
                    .contains("good.test: Temporary failure in name resolution");
        }
        times.sort(null);
        assertThat(times.get(1)).as("median of %s", times).isLessThan(Duration.ofSeconds(1));
        serve("sesn_2");
        assertThat(answer("sesn_2", "exec 3<>/dev/tcp/good.test/7000; echo $?"))
                .as("a session that came later")
                .contains("[refused: good.test, no rule allows the name]");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void aSessionGetsThePolicyItsMetadataNames_orNoSandboxAtAll(int warm) throws Exception {
        start(warm, Wish.POLICY, Wish.NETWORKING);
        plane.metadata("sesn_build", "{'glovebox.policy':'build'}");
        plane.metadata("sesn_bad", "{'glovebox.policy':'research'}");
        plane.metadata(
                "sesn_less",
                "{'glovebox.networking':'{\\\"type\\\":\\\"limited\\\",\\\"allowed_hosts\\\":[\\\"other.test\\\"]}'}");
        plane.metadata("sesn_broken", "{'glovebox.networking':'{'}");
        for (String session : List.of("sesn_build", "sesn_less", "sesn_bad", "sesn_broken", S)) {
            serve(session);
        }
        String good = "(echo >/dev/tcp/good.test/7000) 2>/dev/null && echo reached; true";
        String build = "(echo >/dev/tcp/build.test/7000) 2>/dev/null && echo reached; true";

        assertThat(answer(S, good)).isEqualTo("reached");
        assertThat(answer(S, build)).contains("[refused: build.test, no rule allows the name]");
        assertThat(answer("sesn_build", build)).isEqualTo("reached");
        assertThat(answer("sesn_build", good))
                .contains("[refused: good.test, no rule allows the name]");
        assertThat(answer("sesn_less", good))
                .contains("[refused: good.test, no rule allows the name]");

        String call = plane.toolUse("sesn_bad", "id; " + good);
        await(() -> !plane.results("sesn_bad", call).isEmpty());
        assertThat(plane.results("sesn_bad", call).getFirst())
                .isEqualTo(
                        "sandbox unavailable: the session's metadata asks for the policy"
                                + " \"research\", which this worker does not have");
        assertThat(answer("sesn_broken", good))
                .startsWith("sandbox unavailable: the session's glovebox.networking is not JSON");
        assertThat(answer("sesn_bad", good)).startsWith("sandbox unavailable: ");
        assertThat(ask(show("")).path("sandboxes").findValuesAsString("session_id"))
                .containsExactlyInAnyOrder("sesn_build", "sesn_less", S);
        assertThat(plane.seen.stream().filter(s -> s.is("GET", "/v1/sessions/sesn_build")))
                .as("no request more than before")
                .hasSize(1);
    }

    /// A worker that lets nobody choose gives no sandbox to who chooses, however well it is
    /// spelled.
    @Test
    void metadataThatTheOperatorDoesNotHonour_getsNoSandbox() throws Exception {
        start(0);
        plane.metadata("sesn_build", "{'glovebox.policy':'build'}");
        plane.metadata(S, "{'team':'x'}");
        serve("sesn_build");
        serve(S);
        assertThat(answer("sesn_build", "echo ran"))
                .startsWith("sandbox unavailable: ")
                .doesNotContain("ran");
        assertThat(answer(S, "echo ran")).isEqualTo("ran");
    }

    /// Whoever is inside finds nothing by which to change what it may reach: not the files, not the
    /// operator's socket, not the control plane; and a sandbox that ends itself gets no other
    /// policy (A35).
    @Test
    void anAgentThatWantsOut_cannotChangeItsOwnPolicy() throws Exception {
        start(0, Wish.POLICY);
        serve(S);
        answer(S, "true");
        operate(new PolicyWish.Apply(List.of(S), "rules: []"));
        assertThat(policyOf(S).path("policy_name").asString()).isEqualTo("by hand");

        String found =
                answer(
                        S,
                        "ls "
                                + file
                                + " "
                                + operators.socket()
                                + " 2>&1; find / -name 'policy.yaml' -o -name socket -type s 2>/dev/null;"
                                + " curl -sS -m 5 -w 'status %{http_code}' "
                                + plane.address()
                                + " 2>&1; true");
        assertThat(found).contains("No such file", "status 000").doesNotContain("/build.yaml");
        assertThat(found.lines().filter(line -> line.startsWith("/"))).isEmpty();
        Files.writeString(file, allow("good.test", "more.test"));
        await(() -> ask(show("")).path("policies").path(0).path("rules").asInt() == 2);
        answer(S, "kill -9 -1; kill -9 1; true");
        ask(new Request.Delete(S));
        await(() -> answer(S, "echo again").equals("again"));

        assertThat(answer(S, "(echo >/dev/tcp/good.test/7000) 2>&1; true"))
                .as("what was taken away by hand is not given back by a new sandbox")
                .contains("[refused: good.test, no rule allows the name]");
        operate(new PolicyWish.Reset(List.of(S)));
        assertThat(answer(S, "(echo >/dev/tcp/good.test/7000) && echo reached"))
                .isEqualTo("reached");
    }

    @Test
    void anOperatorGivesAPolicyByHand_andEverybodyCanSeeWhoDid() throws Exception {
        start(2);
        serve(S);
        answer(S, "true");
        String given = allow("hand.test");
        assertThatThrownBy(() -> operate(new PolicyWish.Apply(List.of(S), "rules: [x]")))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("nothing has changed")
                .hasMessageContaining("rules[0]");
        assertThatThrownBy(() -> operate(new PolicyWish.Apply(List.of("nobody"), given)))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("there are: " + S);
        try (Socket before = held(S, "good.test")) {
            JsonNode done = operate(new PolicyWish.Apply(List.of(), given));
            ends(before);
            assertThat(done.path("sandboxes").path(0).path("digest").asString())
                    .isEqualTo(PolicyTree.digest(EgressPolicy.parse(given)));
        }
        assertThat(answer(S, "(echo >/dev/tcp/hand.test/7000) && echo reached"))
                .isEqualTo("reached");
        JsonNode shown = ask(show(S)).path("sandboxes").path(0);
        assertThat(shown.path("by").asString()).startsWith("operator root, process ");
        assertThat(Json.write(shown.path("policy")))
                .contains("hand.test")
                .doesNotContain("good.test");

        JsonNode calls = ask(new Request.Logs(S, 0, false)).path("calls");
        assertThat(
                        calls.valueStream()
                                .map(one ->
                                        one.path("who").asString()
                                                + " "
                                                + one.path("tool").asString()))
                .contains("operator policy");
        List<String> changes = new ArrayList<>();
        await(() -> {
            changes.clear();
            changes.addAll(policyChanges());
            return changes.size() == 2;
        });
        assertThat(changes.get(0))
                .isEqualTo(
                        S
                                + " session start: policy default "
                                + PolicyTree.digest(EgressPolicy.parse(allow("good.test"))));
        assertThat(changes.get(1))
                .matches(S + " operator root, process \\d+: policy by hand [0-9a-f]{64}");
    }

    private List<String> policyChanges() {
        List<String> changes = new ArrayList<>();
        try {
            new AuditTrail(state.resolve("audit"))
                    .query(
                            record -> record.path("event").asString("").equals("policy"),
                            record ->
                                    changes.add(
                                            record.path("session").asString("")
                                                    + " "
                                                    + record.path("by").asString("")
                                                    + " "
                                                    + record.path("policy").asString("")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return changes;
    }

    private static Request show(String sandbox) {
        return new Request.Policy(new PolicyWish.Show(sandbox));
    }

    private JsonNode policyOf(String session) {
        return ask(show(""))
                .path("sandboxes")
                .valueStream()
                .filter(one -> one.path("session_id").asString().equals(session))
                .findFirst()
                .orElseGet(Json::object);
    }

    private JsonNode operate(PolicyWish wish) {
        return ask(new Request.Policy(wish));
    }

    private JsonNode ask(Request request) {
        return operator.ask(request);
    }

    private String answer(String session, String command) {
        String call = plane.toolUse(session, command);
        await(() -> !plane.results(session, call).isEmpty());
        return plane.results(session, call).getFirst();
    }
}
