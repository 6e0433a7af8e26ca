package dev.glovebox.worker;

import static dev.glovebox.worker.WorkerRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Profile;
import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A worker whose template fetches something before the first sandbox is made of it: real doors,
/// real sandboxes, a real pool, a control plane over real HTTP. Needs root.
@Timeout(180)
class PreparedTemplateIT {
    private static final String PASSWORD = "changeit";
    private static final String FETCH =
            """
            set -e
            mkdir /usr/local/fetched
            cd /usr/local/fetched
            curl -sSf -m 20 http://plain.test/plain -o plain
            curl -sSf -m 20 https://secure.test/secure -o secure
            python3 -c 'import urllib.request as u; print(u.urlopen("https://secure.test/python").read().decode())' > python
            ! curl -sS -m 20 http://evil.test/ -o evil
            """;

    @TempDir Path state;
    private final FakeControlPlane plane = new FakeControlPlane();
    private final AtomicInteger plainRequests = new AtomicInteger();
    private final List<LogRecord> told = new CopyOnWriteArrayList<>();
    private final Logger logger = Logger.getLogger(PreparedTemplate.class.getName());
    private volatile int plainStatus = 200;
    private HttpServer plain;
    private HttpsServer secure;
    private Sandboxes sandboxes;
    private Doors doors;

    private final Handler ear =
            new Handler() {
                @Override
                public void publish(LogRecord record) {
                    told.add(record);
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            };

    @BeforeEach
    void open() throws Exception {
        logger.addHandler(ear);
        InetSocketAddress any = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
        plain = HttpServer.create(any, 0);
        secure = HttpsServer.create(any, 0);
        secure.setHttpsConfigurator(new HttpsConfigurator(certified()));
        for (HttpServer server : List.of(plain, secure)) {
            server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
            server.createContext(
                    "/",
                    exchange -> {
                        boolean counted = exchange.getRequestURI().getPath().equals("/plain");
                        int status = counted ? plainStatus : 200;
                        plainRequests.addAndGet(counted ? 1 : 0);
                        byte[] body =
                                exchange.getRequestURI().getPath().getBytes(StandardCharsets.UTF_8);
                        exchange.sendResponseHeaders(status, body.length);
                        exchange.getResponseBody().write(body);
                        exchange.close();
                    });
            server.start();
        }
        sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
        doors =
                Doors.open(
                        EgressConfig.at(state.resolve("doors"))
                                .withRoots(state.resolve("cert.pem")));
    }

    @AfterEach
    void close() {
        doors.close();
        sandboxes.close();
        plane.close();
        plain.stop(0);
        secure.stop(0);
        logger.removeHandler(ear);
    }

    /// Through the door of its own, by the worker's policy, also over TLS; before the pool is
    /// filled, so that its members have it, and once.
    @Test
    void aTemplateThatFetches_isPreparedOnceForPoolAndSessions() throws Exception {
        try (Running _ = worker(FETCH, 2)) {
            await(() -> waiting() == 2);
            for (String session : List.of("sesn_1", "sesn_2")) {
                plane.session(session);
                plane.enqueue(session);
                assertThat(answer(session, "cd /usr/local/fetched; cat plain secure python; ls"))
                        .as("what was fetched, and what the policy does not allow was not")
                        .isEqualTo("/plain/secure/python\nplain\npython\nsecure");
            }
            assertThat(plainRequests).hasValue(1);
            assertThat(told).noneMatch(record -> record.getLevel().equals(Level.SEVERE));
        }
        assertThat(state.resolve("doors")).isDirectoryNotContaining("glob:**.net");
    }

    /// The pool does not run it again and again; each session that wants a sandbox does, and is
    /// told.
    @Test
    void aCommandThatFails_isToldOnceAndTriedAgainForASession() throws Exception {
        plainStatus = 503;
        try (Running _ = worker(FETCH, 2)) {
            await(() -> !told.isEmpty());
            assertThat(plainRequests).hasValue(1);
            plane.session("sesn_1");
            plane.enqueue("sesn_1");

            for (int call = 0; call < 3; call++) {
                assertThat(answer("sesn_1", "true"))
                        .isEqualTo(
                                "sandbox unavailable: what sandboxes are made of could not be prepared,"
                                        + " the operator of this worker has been told");
            }
            assertThat(plainRequests.get())
                    .as("once at the start, and at most once for the session and each call")
                    .isBetween(1, 5);
            assertThat(told)
                    .singleElement()
                    .satisfies(record ->
                            assertThat(record.getParameters()[0] + "")
                                    .contains("preparation of template fetching", "503"));
            assertThat(waiting()).isZero();

            plainStatus = 200;

            await(() -> answer("sesn_1", "cat /usr/local/fetched/plain").equals("/plain"));
            await(() -> waiting() == 2);
        }
    }

    /// The process may end next, so the sandbox and the disk of the command are gone by then.
    @Test
    void aWorkerThatEnds_doesNotWaitForItsTemplateAndLeavesNothingOfIt() throws Exception {
        try (Running _ =
                worker("echo begun; curl -sS http://plain.test/plain; while :; do :; done", 1)) {
            await(() -> plainRequests.get() == 1);
            assertThat(mounted()).as("the control").isTrue();
        }
        assertThat(mounted()).isFalse();
        assertThat(told).isEmpty();
        assertThat(state.resolve("images/partial")).isEmptyDirectory();
    }

    private record Running(Worker worker, Thread thread) implements AutoCloseable {
        @Override
        public void close() {
            worker.close();
            await(() -> !thread.isAlive());
        }
    }

    private Running worker(String script, int warm) {
        Template template =
                new Template(
                        "fetching",
                        new Root.Host(),
                        Profile.STRICT,
                        Optional.empty(),
                        false,
                        Limits.DEFAULT,
                        Map.of(),
                        List.of("/bin/bash", "-c", script));
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        rules:
                          - {name: plain, host: plain.test, protocol: http, action: allow, connect: "127.0.0.1:PLAIN"}
                          - {name: secure, host: secure.test, protocol: https, action: allow, connect: "127.0.0.1:SECURE"}
                        """
                                .replace("PLAIN", "" + plain.getAddress().getPort())
                                .replace("SECURE", "" + secure.getAddress().getPort()));
        WorkerConfig config =
                plane.worker(state)
                        .withPlace(
                                PlaceConfig.DEFAULT
                                        .withTemplate(template)
                                        .withPolicy(policy)
                                        .withWarm(new Warm(warm, PoolConfig.DEFAULT_MAX_AGE)));
        Worker worker = new Worker(config, sandboxes, doors, Workspaces.open(state.resolve("ws")));
        return new Running(worker, Thread.ofVirtual().name("worker").start(worker::run));
    }

    /// A server's side of TLS with a certificate for secure.test that `cert.pem` vouches for.
    private SSLContext certified() throws Exception {
        openssl(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=it"
                        + " -addext subjectAltName=DNS:secure.test -keyout key.pem -out cert.pem");
        openssl("pkcs12 -export -inkey key.pem -in cert.pem -out it.p12 -passout pass:" + PASSWORD);
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(state.resolve("it.p12"))) {
            store.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory keys =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    private void openssl(String words) throws Exception {
        Path log = state.resolve("openssl.log");
        Process process =
                new ProcessBuilder(("openssl " + words).split(" ", -1))
                        .directory(state.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        assertThat(process.waitFor()).as(Files.readString(log)).isZero();
    }

    private boolean mounted() {
        try {
            return Files.readString(Path.of("/proc/self/mountinfo"))
                    .contains(state.resolve("images").toString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private long waiting() {
        try (var bundles = Files.list(state.resolve("sb/live/bundles"))) {
            return bundles.filter(each -> each.getFileName().toString().startsWith("warm-"))
                    .count();
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
