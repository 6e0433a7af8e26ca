package dev.glovebox.worker;

import static dev.glovebox.worker.WorkerRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// E13: the tools of an agent's trade in a session's sandbox, at services that want a key which the
/// door adds. None of them is told of it, and none is configured but for the address.
@Timeout(240)
class DoorToolsIT {
    private static final String SECRET = "sk-hush-0123456789abcdef";

    private static final String CERTIFICATES =
            """
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/CN=Fake Internet Root' -keyout ca.key -out ca.pem
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj '/CN=services' -keyout server.key -out server.csr
            printf 'subjectAltName=DNS:code.test,DNS:pypi.test,DNS:npm.test,DNS:apt.test,DNS:api.test\\nextendedKeyUsage=serverAuth' >extensions
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem
            git init -q --bare code/app.git
            git -C code/app.git config http.receivepack true
            git clone -q code/app.git seed
            echo 'hello of the forge' >seed/README
            git -C seed add README
            git -C seed -c user.name=t -c user.email=t@t commit -qm first
            git -C seed push -q origin HEAD:refs/heads/main
            git -C code/app.git symbolic-ref HEAD refs/heads/main
            """;

    private static final String JAVA =
            """
            printf '%s' 'class T { public static void main(String[] a) throws Exception { System.out.println(java.net.http.HttpClient.newHttpClient().send( \
            java.net.http.HttpRequest.newBuilder(java.net.URI.create("https://api.test/")).build(), java.net.http.HttpResponse.BodyHandlers.ofString()).body()); }}' > T.java && \
            java -Xmx128m T.java\
            """;

    private static final String NODE =
            "node -e 'fetch(\"https://api.test/\").then(r => r.text()).then(console.log, e =>"
                    + " console.log(e.cause))'";

    private static final String APT =
            """
            mkdir -p apt/lists/partial apt/cache && touch apt/status && echo 'deb [trusted=yes] https://apt.test/debian stable main' >apt/list && \
            O="-o Dir::Etc::SourceList=$PWD/apt/list -o Dir::Etc::SourceParts=- -o Dir::State=$PWD/apt -o Dir::State::status=$PWD/apt/status -o Dir::Cache=$PWD/apt/cache" && \
            apt-get $O update 2>&1 && apt-cache $O show demo\
            """;

    @TempDir Path state;
    private final FakeControlPlane plane = new FakeControlPlane();
    private Process services;
    private int port;

    private void serve() throws Exception {
        Process made =
                new ProcessBuilder("sh", "-euc", CERTIFICATES)
                        .directory(state.toFile())
                        .redirectErrorStream(true)
                        .start();
        String output =
                new String(
                        made.getInputStream().readAllBytes(),
                        java.nio.charset.StandardCharsets.UTF_8);
        assertThat(made.waitFor()).as(output).isZero();
        Path program = state.resolve("services.py");
        try (InputStream in = DoorToolsIT.class.getResourceAsStream("services.py")) {
            Files.write(program, in.readAllBytes());
        }
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        services =
                new ProcessBuilder(
                                "/usr/bin/python3",
                                program.toString(),
                                "" + port,
                                state.resolve("server.pem").toString(),
                                state.resolve("server.key").toString(),
                                SECRET,
                                state.resolve("code").toString())
                        .redirectErrorStream(true)
                        .redirectOutput(state.resolve("services.out").toFile())
                        .start();
        await(() -> isListening());
    }

    private boolean isListening() {
        try (Socket _ = new Socket(InetAddress.ofLiteral("127.0.0.1"), port)) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private EgressPolicy policy(Path key) {
        StringBuilder rules = new StringBuilder("rules:\n");
        for (String host : new String[] {"code", "pypi", "npm", "apt", "api"}) {
            String credential =
                    host.equals("npm") ? "bearer" : host.equals("api") ? "header" : "basic";
            rules.append(
                    "  - {name: %1$s, host: %1$s.test, protocol: https, action: allow, connect: '127.0.0.1:%2$d', credential: %3$s}\n"
                            .formatted(host, port, credential));
        }
        rules.append(
                "  - {name: bare, host: api.test, port: 8443, protocol: https, action: allow, connect: '127.0.0.1:%d'}\n"
                        .formatted(port));
        return EgressPolicy.parse(
                rules
                        + """
                        credentials:
                          - {name: basic, basic: {user: robot}, source: {file: KEY}}
                          - {name: bearer, header: Authorization, format: "Bearer {}", source: {file: KEY}}
                          - {name: header, header: X-Api-Key, format: "{}", source: {file: KEY}}
                        """
                                .replace("KEY", key.toString()));
    }

    @Test
    void toolsUseKeysTheyDoNotHave() throws Exception {
        serve();
        Path key = Files.writeString(state.resolve("key"), SECRET);
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        try (Sandboxes sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
                Doors doors =
                        Doors.open(
                                EgressConfig.at(state.resolve("doors"))
                                        .withRoots(state.resolve("ca.pem")))) {
            WorkerConfig config =
                    plane.worker(state)
                            .withPlace(
                                    PlaceConfig.DEFAULT
                                            .withTemplate(Template.builtIn("base"))
                                            .withLimits(Limits.DEFAULT)
                                            .withPolicy(policy(key)));
            Worker worker =
                    new Worker(config, sandboxes, doors, Workspaces.open(state.resolve("ws")));
            Thread running = Thread.ofVirtual().name("worker").start(worker::run);
            plane.session("sesn_1");
            plane.enqueue("sesn_1");
            try {
                everyToolGetsIn();
            } finally {
                plane.endTurn("sesn_1");
                worker.close();
                running.join();
            }
        } finally {
            plane.close();
            services.destroy();
            services.waitFor(10, TimeUnit.SECONDS);
        }
    }

    private void everyToolGetsIn() {
        assertThat(answer("curl -sS https://api.test:8443/"))
                .as("without the credential")
                .contains("the key is missing");
        assertThat(answer("curl -sS https://api.test/")).isEqualTo("hello of the api");
        assertThat(
                        answer(
                                "python3 -c 'import urllib.request as u; print(u.urlopen(\"https://api.test/\").read())'"))
                .contains("hello of the api");
        assertThat(answer(NODE)).contains("hello of the api");
        assertThat(answer(JAVA)).contains("hello of the api");
        assertThat(answer("git clone -q https://code.test/app.git && cat app/README"))
                .contains("hello of the forge");
        assertThat(
                        answer(
                                "cd app && echo more >>README && git -c user.name=a -c user.email=a@a commit -qam second"
                                        + " && git push -q && git ls-remote origin main && git rev-parse HEAD"))
                .containsPattern("(?s)([0-9a-f]{40})\\s+refs/heads/main\\s+\\1");
        assertThat(
                        answer(
                                "python3 -m venv v && v/bin/pip -q --disable-pip-version-check install --index-url"
                                        + " https://pypi.test/simple demo && v/bin/python -c 'import demo; print(demo.name)'"))
                .contains("demo of the index");
        assertThat(
                        answer(
                                "mkdir n && cd n && npm install --silent --no-audit --no-fund --registry https://npm.test/ demo"
                                        + " && node -p 'require(\"demo\")'"))
                .contains("demo of the registry");
        assertThat(answer(APT)).contains("demo of the repository");
        assertThat(
                        answer(
                                "grep -rsl "
                                        + SECRET
                                        + " . /run /tmp /etc /proc/self/environ; env | grep -c "
                                        + SECRET))
                .as("the secret, inside")
                .contains("0")
                .doesNotContain("/");
    }

    private String answer(String command) {
        String call = plane.toolUse("sesn_1", command);
        await(() -> !plane.results("sesn_1", call).isEmpty());
        return plane.results("sesn_1", call).getFirst();
    }
}
