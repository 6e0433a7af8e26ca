package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.worker.OperatorRig.Ran;
import dev.glovebox.worker.operator.Frame;
import dev.glovebox.worker.operator.OperatorChannel;
import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.worker.operator.Request;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/// A session of a worker, its door and its operator, the same under each runtime. Needs root.
@Timeout(180)
class EachRuntimeIT {
    private static final String TCP =
            """
            python3 -c '
            import socket
            try: print(socket.create_connection(("203.0.113.9", 22), 20).recv(1))
            except ConnectionResetError: print("reset")'\
            """;
    private static final String UDP =
            """
            python3 -c '
            import socket, time
            for to, family in (("203.0.113.9", socket.AF_INET), ("2001:db8::9", socket.AF_INET6)):
                s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(5); start = time.time()
                try:
                    s.connect((to, 443)); s.send(b"quic"); s.recv(1); print("heard")
                except ConnectionRefusedError: print("refused at once" if time.time() - start < 2 else "late")
                except OSError as e: print(e)'\
            """;

    @TempDir Path state;
    private final AtomicInteger requests = new AtomicInteger();
    private HttpServer web;
    private OperatorRig rig;

    private void open(RuntimeName runtime) throws IOException {
        web = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 0);
        web.createContext(
                "/",
                exchange -> {
                    requests.incrementAndGet();
                    byte[] body = "hello".getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(200, body.length);
                    exchange.getResponseBody().write(body);
                    exchange.close();
                });
        web.start();
        String policy =
                """
                rules:
                  - {name: good, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%1$d"}
                  - {name: four, host: 203.0.113.10, port: 8080, protocol: tcp, action: allow, connect: "127.0.0.1:%1$d"}
                  - {name: six, host: "2001:db8::10", port: 8080, protocol: tcp, action: allow, connect: "127.0.0.1:%1$d"}
                """
                        .formatted(web.getAddress().getPort());
        rig =
                new OperatorRig(
                        state,
                        new SandboxConfig(
                                state.resolve("sb"),
                                Optional.of(runtime),
                                SandboxConfig.DEFAULT_START_TIMEOUT),
                        PlaceConfig.DEFAULT
                                .withLimits(Limits.DEFAULT.withMemory("256m"))
                                .withPolicy(EgressPolicy.parse(policy))
                                .withWarm(Warm.NONE));
    }

    @AfterEach
    void close() {
        rig.close();
        web.stop(0);
    }

    @ParameterizedTest
    @EnumSource
    void theDoor_isTheOnlyWayOut(RuntimeName runtime) throws IOException {
        open(runtime);
        String curl = "curl -sS -m 20 ";
        for (String allowed :
                new String[] {
                    "http://good.test/",
                    "http://203.0.113.10:8080/",
                    "http://[2001:db8::10]:8080/",
                    "-x http://proxy.glovebox.internal:3128 http://good.test/",
                    "-x socks5h://proxy.glovebox.internal:1080 http://good.test/"
                }) {
            assertThat(rig.answer(curl + allowed)).as(allowed).isEqualTo("hello");
        }
        assertThat(requests).hasValue(5);
        for (String refused : new String[] {"203.0.113.9", "[2001:db8::9]", "169.254.169.254"}) {
            assertThat(rig.answer(curl + "-w '%{http_code}' http://" + refused + "/"))
                    .as(refused)
                    .contains("403", "Glovebox refused", "\n[refused: ");
        }
        assertThat(rig.answer(curl + "-k -w '%{http_code}' https://203.0.113.9/"))
                .contains("Glovebox refused", "\n403\n[refused: 203.0.113.9:443");
        assertThat(rig.answer(TCP)).startsWith("reset\n[refused: 203.0.113.9:22, no rule allows");
        assertThat(rig.answer(UDP)).isEqualTo("refused at once\nrefused at once");
        assertThat(rig.answer("getent ahosts good.test | head -1"))
                .matches("(198\\.1[89]\\.|fd).*");
        assertThat(rig.answer(curl + "http://evil.test/")).contains("Could not resolve host");
        assertThat(requests).as("nothing else got out").hasValue(5);
    }

    @ParameterizedTest
    @EnumSource
    void theOperatorsHand_reachesIn(RuntimeName runtime) throws IOException {
        open(runtime);
        JsonNode one = rig.sandbox();
        assertThat(one.path("runtime").asString()).isEqualTo(runtime.program());
        assertThat(one.path("state").asString()).isEqualTo("ready");
        assertThat(one.path("memory_bytes").asLong()).isBetween(1L << 16, 256L << 20);
        assertThat(one.path("tasks").asLong()).isPositive();

        Ran ran = rig.exec("words\n", "sh", "-c", "cat; id -u; echo to-error >&2; exit 3");
        assertThat(ran.out()).isEqualTo("words\n1000\n");
        assertThat(ran.err()).isEqualTo("to-error\n");
        assertThat(ran.end()).isEqualTo(new Frame.Exit(3, 0));
        try (OperatorChannel shell =
                rig.start(Optional.of(new Request.Screen("xterm", 24, 80)), "bash", "--norc")) {
            OperatorRig.type(shell, "stty size; echo $TERM\n");
            assertThat(OperatorRig.readUntil(shell, "xterm\r\n")).contains("24 80\r\n");
        }
        assertThat(rig.logs().path("calls").path(1).path("outcome").asString()).isEqualTo("exit 3");

        rig.client.ask(new Request.Pause(OperatorRig.SESSION));
        assertThat(rig.sandbox().path("state").asString()).isEqualTo("paused");
        assertThatThrownBy(() -> rig.exec("", "true")).isInstanceOf(OperatorException.class);
        rig.client.ask(new Request.Resume(OperatorRig.SESSION));
        assertThat(rig.answer("echo kept > file; cat file")).isEqualTo("kept");

        String first = one.path("name").asString();
        rig.client.ask(new Request.Delete(first));
        assertThat(rig.answer("true")).startsWith("sandbox ended by the operator");
        assertThat(rig.answer("cat file")).isEqualTo("kept");
        assertThat(rig.sandbox().path("name").asString()).isNotEqualTo(first);
    }
}
