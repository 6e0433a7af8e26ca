package dev.glovebox.worker;

import static dev.glovebox.worker.WorkerRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.worker.operator.Frame;
import dev.glovebox.worker.operator.OperatorChannel;
import dev.glovebox.worker.operator.OperatorClient;
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
import tools.jackson.databind.JsonNode;

/// A worker with real sandboxes that serves one session and listens for operators.
final class OperatorRig implements AutoCloseable {
    static final String SESSION = "sesn_1";

    final Path state;
    final FakeControlPlane plane = new FakeControlPlane();
    final Sandboxes sandboxes;
    final Doors doors;
    final Worker worker;
    final OperatorServer server;
    final OperatorClient client;
    private final Thread running;

    OperatorRig(Path state) {
        this(
                state,
                SandboxConfig.in(state.resolve("sb")),
                PlaceConfig.DEFAULT
                        .withLimits(Limits.DEFAULT.withMemory("128m"))
                        .withWarm(Warm.DEFAULT));
    }

    OperatorRig(Path state, SandboxConfig walls, PlaceConfig place) {
        this.state = state;
        sandboxes = Sandboxes.open(walls);
        doors = Doors.open(EgressConfig.at(state.resolve("doors")));
        WorkerConfig config =
                plane.worker(state)
                        .withMaxIdle(Duration.ZERO)
                        .withDrainGrace(Duration.ofSeconds(5))
                        .withPlace(place);
        worker = new Worker(config, sandboxes, doors, Workspaces.open(state.resolve("ws")));
        server =
                OperatorServer.open(
                        OperatorSocket.in(state), worker.roster(), OperatorLimits.DEFAULT);
        client = new OperatorClient(server.socket());
        running = Thread.ofVirtual().name("worker").start(worker::run);
        plane.session(SESSION);
        plane.enqueue(SESSION);
        assertThat(answer("echo up")).isEqualTo("up");
    }

    /// What a command ran to.
    record Ran(String out, String err, Frame end) {}

    Ran exec(String input, String... argv) {
        try (OperatorChannel channel = start(Optional.empty(), argv)) {
            return converse(channel, input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    OperatorChannel start(Optional<Request.Screen> terminal, String... argv) {
        return client.exec(new Request.Exec(SESSION, List.of(argv), terminal));
    }

    private static Ran converse(OperatorChannel channel, byte[] input) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int sent = 0;
        int credit = Frame.INPUT_WINDOW;
        boolean ended = false;
        while (true) {
            int count = Math.min(credit, Math.min(input.length - sent, 10_000));
            if (count > 0) {
                channel.write(new Frame.Input(ByteBuffer.wrap(input, sent, count)));
                sent += count;
                credit -= count;
                continue;
            }
            if (sent == input.length && !ended) {
                ended = true;
                endInput(channel);
            }
            switch (channel.read().orElseThrow()) {
                case Frame.Output(ByteBuffer bytes) -> out.writeBytes(Frame.bytes(bytes));
                case Frame.Errors(ByteBuffer bytes) -> err.writeBytes(Frame.bytes(bytes));
                case Frame.Grant(int more) -> credit += more;
                case Frame end -> {
                    return new Ran(
                            out.toString(StandardCharsets.UTF_8),
                            err.toString(StandardCharsets.UTF_8),
                            end);
                }
            }
        }
    }

    /// A command may be over before its input is.
    private static void endInput(OperatorChannel channel) {
        try {
            channel.write(new Frame.InputEnd());
        } catch (IOException _) {
            // what it has left is still to be read
        }
    }

    /// Reads output until it holds the words.
    static String readUntil(OperatorChannel channel, String words) throws IOException {
        StringBuilder seen = new StringBuilder();
        while (seen.indexOf(words) < 0) {
            Frame frame = channel.read().orElseThrow(() -> new AssertionError("hung up: " + seen));
            if (frame instanceof Frame.Output(ByteBuffer bytes)) {
                seen.append(new String(Frame.bytes(bytes), StandardCharsets.UTF_8));
            }
        }
        return seen.toString();
    }

    static void type(OperatorChannel channel, String text) throws IOException {
        channel.write(new Frame.Input(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
    }

    JsonNode sandbox() {
        return client.ask(new Request.Look(SESSION)).path("sandboxes").path(0);
    }

    /// Its log when nothing in it runs any more: an operator is told how his command ended a moment
    /// before the log is.
    JsonNode logs() {
        await(() -> !log().toString().contains("\"running\""));
        return log();
    }

    private JsonNode log() {
        return client.ask(new Request.Logs(SESSION, 0, false));
    }

    /// The processes inside whose command line holds the words.
    long inside(String words) {
        return exec("", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
                        .out
                        .split(words, -1)
                        .length
                - 1L;
    }

    /// Runs a command as the agent and gives its result.
    String answer(String command) {
        String call = ask(command);
        await(() -> !plane.results(SESSION, call).isEmpty());
        return plane.results(SESSION, call).getFirst();
    }

    /// Starts a command as the agent.
    String ask(String command) {
        return plane.toolUse(SESSION, command);
    }

    boolean answered(String call) {
        return !plane.results(SESSION, call).isEmpty();
    }

    @Override
    public void close() {
        server.close();
        worker.close();
        join();
        doors.close();
        sandboxes.close();
        plane.close();
    }

    /// Waits until the worker has ended.
    void join() {
        try {
            running.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
