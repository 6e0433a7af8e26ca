package dev.glovebox.worker;

import static dev.glovebox.worker.WorkerRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Sessions whose sandboxes waited for them: a control plane over real HTTP, real doors, real
/// sandboxes.
@Timeout(120)
class WarmPlacesIT {
    @TempDir Path state;
    private final FakeControlPlane plane = new FakeControlPlane();
    private HttpServer web;
    private Sandboxes sandboxes;
    private Doors doors;
    private Worker worker;
    private Thread running;

    @BeforeEach
    void start() throws IOException {
        web = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 0);
        web.createContext(
                "/",
                exchange -> {
                    exchange.sendResponseHeaders(204, -1);
                    exchange.close();
                });
        web.start();
        sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
        doors = Doors.open(EgressConfig.at(state.resolve("doors")));
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        rules:
                          - {name: web, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:PORT"}
                        """
                                .replace("PORT", "" + web.getAddress().getPort()));
        WorkerConfig config =
                plane.worker(state)
                        .withMaxIdle(Duration.ofMillis(100))
                        .withPlace(
                                PlaceConfig.DEFAULT
                                        .withPolicy(policy)
                                        .withWarm(new Warm(2, PoolConfig.DEFAULT_MAX_AGE)));
        worker = new Worker(config, sandboxes, doors, Workspaces.open(state.resolve("ws")));
        running = Thread.ofVirtual().name("worker").start(worker::run);
    }

    @AfterEach
    void stop() throws InterruptedException {
        worker.close();
        running.join();
        doors.close();
        sandboxes.close();
        plane.close();
        web.stop(0);
    }

    @Test
    void sessionsGetWaitingSandboxesWithTheirOwnFilesAndThePolicy() {
        for (String session : List.of("sesn_1", "sesn_2", "sesn_3")) {
            await(() -> named("warm-").size() >= 2);
            plane.session(session);
            String work = plane.enqueue(session);

            assertThat(answer(session, "ls /workspace /tmp; echo " + session + " > a; pwd"))
                    .isEqualTo("/tmp:\n\n/workspace:\n/workspace");
            assertThat(answer(session, "cat /workspace/a; id -u")).isEqualTo(session + "\n1000");
            assertThat(
                            answer(
                                    session,
                                    "curl -s -m 20 -o /dev/null -w '%{http_code}' http://good.test/"))
                    .as("what the policy allows")
                    .isEqualTo("204");
            assertThat(answer(session, "curl -sS -m 5 http://evil.test/; true"))
                    .as("what it does not")
                    .contains("[refused: evil.test, no rule allows the name]");
            assertThat(named("sesn_")).as("none was started for the session").isEmpty();
            plane.endTurn(session);
            await(() -> plane.workState(work).equals("stopped"));
        }
    }

    @Test
    void aWorkerThatIsDrainedKeepsNoneReady() throws Exception {
        await(() -> named("warm-").size() == 2);

        worker.drain();
        running.join();

        assertThat(named("")).isEmpty();
        assertThat(state.resolve("doors")).isDirectoryNotContaining("glob:**.net");
    }

    /// Sandboxes there are, by their bundles.
    private List<String> named(String prefix) {
        try (var bundles = Files.list(state.resolve("sb/live/bundles"))) {
            return bundles.map(b -> b.getFileName().toString())
                    .filter(name -> name.startsWith(prefix))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String answer(String session, String command) {
        String call = plane.toolUse(session, command);
        await(() -> !plane.results(session, call).isEmpty());
        return plane.results(session, call).getFirst();
    }
}
