package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.Secret;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.worker.operator.Frame;
import dev.glovebox.worker.operator.OperatorChannel;
import dev.glovebox.worker.operator.OperatorClient;
import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.worker.operator.OperatorLimits;
import dev.glovebox.worker.operator.OperatorServer;
import dev.glovebox.worker.operator.OperatorSocket;
import dev.glovebox.worker.operator.Request;
import dev.glovebox.workspace.Workspaces;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What an operator can do to a living session's sandbox, and what cannot be done to the worker
/// that way. Needs root.
@Timeout(180)
class OperatorIT {
    private static final String S = "sesn_1";

    @TempDir Path state;
    private final FakeControlPlane plane = new FakeControlPlane();
    private Sandboxes sandboxes;
    private Doors doors;
    private Worker worker;
    private Thread running;
    private OperatorServer server;
    private OperatorClient client;

    @BeforeEach
    void start() {
        sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
        doors = Doors.open(EgressConfig.at(state.resolve("doors")));
        WorkerConfig config =
                WorkerConfig.of(
                                plane.address(),
                                FakeControlPlane.ENVIRONMENT,
                                new Secret(FakeControlPlane.KEY),
                                state)
                        .withMaxIdle(Duration.ZERO)
                        .withDrainGrace(Duration.ofSeconds(5))
                        .withPlace(
                                PlaceConfig.DEFAULT.withLimits(Limits.DEFAULT.withMemory("128m")));
        worker = new Worker(config, sandboxes, doors, Workspaces.open(state.resolve("ws")));
        server =
                OperatorServer.open(
                        OperatorSocket.in(state), worker.roster(), OperatorLimits.DEFAULT);
        client = new OperatorClient(server.socket());
        running = Thread.ofVirtual().name("worker").start(worker::run);
        plane.session(S);
        plane.enqueue(S);
        assertThat(answer("echo $$ > shell.pid; echo up")).isEqualTo("up");
    }

    @AfterEach
    void stop() throws InterruptedException {
        server.close();
        worker.close();
        running.join();
        doors.close();
        sandboxes.close();
        plane.close();
    }

    @Test
    void listTellsWhatASandboxIsAndUses() {
        JsonNode one = list().path(0);
        assertThat(one.path("session_id").asString()).isEqualTo(S);
        assertThat(one.path("name").asString()).startsWith(S);
        assertThat(one.path("state").asString()).isEqualTo("ready");
        assertThat(one.path("template").asString()).isEqualTo("base");
        assertThat(one.path("profile").asString()).isEqualTo("strict");
        assertThat(one.path("runtime").asString()).isIn("crun", "runc");
        assertThat(one.path("memory_bytes").asLong()).isBetween(1L << 16, 128L << 20);
        assertThat(one.path("memory_limit_bytes").asLong()).isEqualTo(128L << 20);
        assertThat(one.path("tasks").asLong()).isBetween(2L, 20L);
        assertThat(one.path("calls").asLong()).isEqualTo(1);
        long before = one.path("cpu_millis").asLong();
        answer("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
        assertThat(list().path(0).path("cpu_millis").asLong()).isGreaterThan(before + 10);
        answer("exec 3<>/dev/tcp/203.0.113.7/443 && head -c 1 <&3; true");
        assertThat(list().path(0).path("refused").asLong()).isPositive();
    }

    @Test
    void execPassesInputOutputErrorAndExitCodeAndLeavesTheAgentsShellAlone() {
        answer("cd /tmp; x=kept");
        Ran ran = exec("words\n", "sh", "-c", "cat; pwd; id -u; echo to-error >&2; exit 3");
        assertThat(ran.out).isEqualTo("words\n/workspace\n1000\n");
        assertThat(ran.err).isEqualTo("to-error\n");
        assertThat(ran.exit).isEqualTo(new Frame.Exit(3, 0));
        assertThat(answer("pwd; echo $x")).isEqualTo("/tmp\nkept");
        assertThat(exec("", "sh", "-c", "kill -9 $$").exit).isEqualTo(new Frame.Exit(-1, 9));
        assertThatThrownBy(() -> exec("", "/no/such"))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("/no/such: no such program");
    }

    @Test
    void aMegabyteOfInputAndOutputGoesThroughUnchanged() {
        String text = "0123456789abcdef".repeat(64 * 1024);
        assertThat(exec(text, "cat").out).isEqualTo(text);
    }

    private record Ran(String out, String err, Frame exit) {}

    private Ran exec(String input, String... argv) {
        Request.Exec request = new Request.Exec(S, List.of(argv), Optional.empty());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        try (OperatorChannel channel = client.exec(request)) {
            byte[] bytes = input.getBytes(StandardCharsets.UTF_8);
            int sent = 0;
            int credit = Frame.INPUT_WINDOW;
            while (true) {
                int count = Math.min(credit, Math.min(bytes.length - sent, 10_000));
                if (count > 0) {
                    channel.write(new Frame.Input(ByteBuffer.wrap(bytes, sent, count)));
                    sent += count;
                    credit -= count;
                    if (sent < bytes.length) {
                        continue;
                    }
                    channel.write(new Frame.InputEnd());
                } else if (bytes.length == 0 && sent == 0) {
                    sent = -1;
                    channel.write(new Frame.InputEnd());
                }
                switch (channel.read().orElseThrow()) {
                    case Frame.Output(ByteBuffer b) -> out.writeBytes(Frame.bytes(b));
                    case Frame.Errors(ByteBuffer b) -> err.writeBytes(Frame.bytes(b));
                    case Frame.Grant(int more) -> credit += more;
                    case Frame end -> {
                        return new Ran(
                                out.toString(StandardCharsets.UTF_8),
                                err.toString(StandardCharsets.UTF_8),
                                end);
                    }
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private JsonNode list() {
        return client.ask(new Request.Look("")).path("sandboxes");
    }

    private String answer(String command) {
        String call = plane.toolUse(S, command);
        await(() -> !plane.results(S, call).isEmpty());
        return plane.results(S, call).getFirst();
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
            LockSupport.parkNanos(500_000);
        }
    }
}
