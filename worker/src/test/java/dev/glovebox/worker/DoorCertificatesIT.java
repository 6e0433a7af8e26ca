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

/// Programs in a session's sandbox believe its door: each gets the page that a refused host is
/// answered with, which they see only if they accept the certificate it comes with.
@Timeout(240)
class DoorCertificatesIT {
    private static final String PYTHON =
            "python3 -c 'import urllib.request as u; u.urlopen(\"https://never.test/\")' 2>&1 | tail"
                    + " -1";
    private static final String NODE =
            "node -e 'require(\"https\").get(\"https://never.test/\", r =>"
                    + " console.log(r.statusCode)).on(\"error\", e => console.log(e.message))'";
    private static final String JAVA =
            """
            printf '%s' 'class T { public static void main(String[] a) throws Exception { System.out.println(((java.net.HttpURLConnection) \
            java.net.URI.create("https://never.test/").toURL().openConnection()).getResponseCode()); }}' > T.java && \
            java -Xmx128m T.java\
            """;

    @TempDir Path state;
    private final FakeControlPlane plane = new FakeControlPlane();

    @ParameterizedTest
    @CsvSource({"base,0", "base,1", "dev,0"})
    void curlGitPythonNodeNpmJavaAndSshTrustTheDoor(String template, int warm) throws Exception {
        try (Sandboxes sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
                Doors doors = Doors.open(EgressConfig.at(state.resolve("doors")))) {
            Worker worker =
                    new Worker(
                            config(template, warm),
                            sandboxes,
                            doors,
                            Workspaces.open(state.resolve("ws")));
            Thread running = Thread.ofVirtual().name("worker").start(worker::run);
            await(() -> waiting() >= warm);
            plane.session("sesn_1");
            plane.enqueue("sesn_1");
            try {
                everyToolIsAnswered();
            } finally {
                plane.endTurn("sesn_1");
                worker.close();
                running.join();
            }
        } finally {
            plane.close();
        }
    }

    private WorkerConfig config(String template, int warm) {
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        rules:
                          - {name: never, host: never.test, port: 443, action: deny}
                          - {name: some, host: never.test, port: 8080, protocol: http, action: allow}
                          - {name: code, host: code.test, protocol: ssh, action: allow, credential: key, connect: "127.0.0.1:1"}
                        credentials:
                          - {name: key, ssh-key: {user: git, known-hosts: /etc/hosts}, source: {file: /etc/hostname}}
                        """);
        return plane.worker(state)
                .withPlace(
                        PlaceConfig.DEFAULT
                                .withTemplate(Template.builtIn(template))
                                .withLimits(Limits.DEFAULT)
                                .withPolicy(policy)
                                .withWarm(new Warm(warm, PoolConfig.DEFAULT_MAX_AGE)));
    }

    private void everyToolIsAnswered() {
        assertThat(
                        answer(
                                "curl -sS -w '%{http_code}' https://never.test/; env -u CURL_CA_BUNDLE -u SSL_CERT_FILE curl -sS"
                                        + " https://never.test/"))
                .contains("403Glovebox refused", "rule \"never\"")
                .doesNotContain("certificate");
        assertThat(answer("git ls-remote https://never.test/x.git 2>&1")).contains("error: 403");
        assertThat(answer(PYTHON)).contains("HTTP Error 403");
        assertThat(answer(NODE)).contains("403");
        assertThat(answer("npm view --fetch-retries 0 --registry https://never.test/ x 2>&1"))
                .contains("E403");
        assertThat(answer(JAVA)).contains("403").doesNotContain("Exception");
        assertThat(answer("git ls-remote ssh://git@code.test/team/app.git 2>&1"))
                .contains("glovebox: code.test:22: it is allowed, but the host has no key")
                .doesNotContain("Host key verification failed");
        assertThat(
                        answer(
                                "grep -rl PRIVATE /run/glovebox /etc/ssl/certs; touch /run/glovebox/x;"
                                        + " ls /run/glovebox"))
                .contains("Read-only file system", "ca.crt", "ca-certificates.crt", "cacerts")
                .doesNotContain("/run/glovebox/ca.crt\n");
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
