package dev.glovebox.worker;

import static dev.glovebox.worker.WorkerRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Commands of a session are told by variables that the door is a proxy, if the operator wants it,
/// and reach the servers of their own sandbox all the same.
@Timeout(240)
class DoorVariablesIT {
    private static final String SERVE =
            "echo inside > a.txt; (python3 -m http.server 8123 > server.log 2>&1 & echo $! > pid);"
                    + " for h in localhost 127.0.0.1 glovebox; do curl -sS --retry 30 --retry-delay 1"
                    + " --retry-connrefused http://$h:8123/a.txt 2>/dev/null; done; kill $(cat pid)";

    @TempDir Path state;
    private final FakeControlPlane plane = new FakeControlPlane();

    @ParameterizedTest
    @CsvSource({"true,0", "true,1", "false,0"})
    void programsAreToldOfTheProxyIfTheOperatorSaysSo(boolean told, int warm) throws Exception {
        try (Sandboxes sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
                Doors doors = Doors.open(EgressConfig.at(state.resolve("doors")))) {
            Worker worker =
                    new Worker(
                            config(told, warm),
                            sandboxes,
                            doors,
                            Workspaces.open(state.resolve("ws")));
            Thread running = Thread.ofVirtual().name("worker").start(worker::run);
            await(() -> waiting() >= warm);
            plane.session("sesn_1");
            plane.enqueue("sesn_1");
            try {
                variablesAre(told);
                assertThat(answer("curl -sS https://never.test/ 2>&1"))
                        .contains(
                                told ? "CONNECT tunnel failed, response 403" : "Glovebox refused");
                assertThat(answer(SERVE)).contains("inside\ninside\ninside");
            } finally {
                plane.endTurn("sesn_1");
                worker.close();
                running.join();
            }
        } finally {
            plane.close();
        }
    }

    private void variablesAre(boolean told) {
        String variables = answer("env | grep -i proxy | sort | cut -d= -f1; echo end; env");
        String names = "HTTPS_PROXY\nHTTP_PROXY\nNO_PROXY\nhttp_proxy\nhttps_proxy\nno_proxy\nend";
        if (told) {
            assertThat(variables)
                    .contains(names, "http_proxy=http://proxy.glovebox.internal:3128")
                    .contains("NO_PROXY=localhost,127.0.0.1,::1");
        } else {
            assertThat(variables).doesNotContainIgnoringCase("proxy").contains("end");
        }
    }

    private WorkerConfig config(boolean told, int warm) {
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        rules:
                          - {name: never, host: never.test, port: 443, action: deny}
                          - {name: some, host: never.test, port: 8080, protocol: http, action: allow}
                        """);
        return plane.worker(state)
                .withPlace(
                        PlaceConfig.DEFAULT
                                .withPolicy(policy)
                                .withProxyVariables(told)
                                .withWarm(new Warm(warm, PoolConfig.DEFAULT_MAX_AGE)));
    }

    private long waiting() {
        try (var bundles = Files.list(state.resolve("sb/live/bundles"))) {
            return bundles.filter(each -> each.getFileName().toString().startsWith("warm-"))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String answer(String command) {
        String call = plane.toolUse("sesn_1", command);
        await(() -> !plane.results("sesn_1", call).isEmpty());
        return plane.results("sesn_1", call).getFirst();
    }
}
