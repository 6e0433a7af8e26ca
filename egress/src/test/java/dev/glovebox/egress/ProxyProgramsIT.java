package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.egress.audit.AuditTrail;
import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// The door as a proxy, used by the programs that an agent would tell of one. The records show that
/// they went that way, and not by dialling.
class ProxyProgramsIT {
    private static final String HTTP_PROXY = "http_proxy=" + ProxyClient.HTTP;
    private static final String HTTPS_PROXY = "https_proxy=" + ProxyClient.HTTP;

    @TempDir Path directory;
    private final Deque<AutoCloseable> closing = new ArrayDeque<>();
    private FakeHttps https;
    private Path files;
    private Path home;
    private Door door;
    private Inside inside;
    private int seen;

    @BeforeEach
    void open() throws Exception {
        TestAuthority internet = new TestAuthority("Fake Internet Root");
        https = later(new FakeHttps(internet.vouch("good.test")));
        files = Files.createDirectory(directory.resolve("files"));
        home = Files.createDirectory(directory.resolve("home"));
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Programs.ok("chown", "1000:1000", home.toString());
        int port = serveFiles();
        AuditLog audit = later(AuditLog.open(AuditConfig.at(directory.resolve("audit"))));
        Doors doors =
                later(
                        Doors.open(
                                EgressConfig.at(directory.resolve("doors"))
                                        .withRoots(internet.write(directory.resolve("roots.pem")))
                                        .withAudit(audit)));
        door =
                doors.open(
                        "one",
                        EgressPolicy.parse(
                                """
                                rules:
                                  - {name: web, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:HTTPS"}
                                  - {name: files, host: good.test, port: 80, protocol: http, action: allow, connect: "127.0.0.1:FILES"}
                                  - {name: other, host: other.test, port: 80, protocol: http, action: allow, connect: "127.0.0.1:FILES"}
                                  - {name: never, host: never.test, action: deny}
                                """
                                        .replace("HTTPS", "" + https.port())
                                        .replace("FILES", "" + port)));
        inside = new Inside(door, directory);
        Files.copy(door.trustFiles().bundle(), directory.resolve("bundle.pem"));
    }

    private int serveFiles() throws Exception {
        int port = Programs.freePort();
        Process server =
                new ProcessBuilder(
                                "/usr/bin/python3",
                                "-m",
                                "http.server",
                                "--bind",
                                "127.0.0.1",
                                "--directory",
                                files.toString(),
                                "" + port)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        later(() -> Programs.stop(server));
        Programs.awaitPort(server, port);
        Files.writeString(files.resolve("a.txt"), "what is in a\n");
        return port;
    }

    private <T extends AutoCloseable> T later(T thing) {
        closing.push(thing);
        return thing;
    }

    @AfterEach
    void close() throws Exception {
        while (!closing.isEmpty()) {
            closing.pop().close();
        }
    }

    /// A script inside, with a home and without this host's own variables.
    private Inside.Result sh(String script, String... variables) throws Exception {
        List<String> line = new ArrayList<>(List.of("env", "-i", "PATH=/usr/bin:/bin"));
        line.add("HOME=" + home);
        line.addAll(List.of(variables));
        line.addAll(List.of("sh", "-c", "cd && " + script));
        return inside.run(line.toArray(String[]::new));
    }

    /// Every connection since the last time was told to the proxy on that port, and there were
    /// some.
    private void wentBy(int port) throws IOException {
        List<String> dialled = new ArrayList<>();
        new AuditTrail(directory.resolve("audit"))
                .query(
                        record ->
                                record.path("event").asString("").equals("connection")
                                        && record.path("verdict").asString("").equals("allow"),
                        (JsonNode record) -> dialled.add(record.path("dialled").asString()));
        assertThat(dialled.subList(seen, dialled.size()))
                .isNotEmpty()
                .allMatch(text -> text.endsWith(":" + port));
        seen = dialled.size();
    }

    @Test
    void curl() throws Exception {
        for (String option : List.of("-x ", "-p -x ")) {
            String line = "curl -sS " + option + ProxyClient.HTTP;
            assertThat(sh(line + " http://good.test/a.txt http://other.test/a.txt").output())
                    .isEqualTo("what is in a\nwhat is in a\n");
            wentBy(3128);
        }
        for (String proxy : List.of(ProxyClient.SOCKS, ProxyClient.SOCKS_ADDRESS)) {
            assertThat(sh("curl -sS -x " + proxy + " http://good.test/a.txt").output())
                    .isEqualTo("what is in a\n");
            wentBy(1080);
        }
        assertThat(
                        sh(
                                        "curl -sS https://good.test/x http://good.test/a.txt",
                                        HTTP_PROXY,
                                        HTTPS_PROXY,
                                        "SSL_CERT_FILE=" + directory.resolve("bundle.pem"))
                                .output())
                .isEqualTo("GET /x good.testwhat is in a\n");
        wentBy(3128);
        assertThat(
                        sh(
                                        "curl -sS http://good.test/a.txt",
                                        "ALL_PROXY=" + ProxyClient.SOCKS,
                                        "no_proxy=localhost,127.0.0.1,::1")
                                .output())
                .isEqualTo("what is in a\n");
        wentBy(1080);
        assertThat(sh("curl -sS --noproxy '*' http://good.test/a.txt", HTTP_PROXY).output())
                .isEqualTo("what is in a\n");
        wentBy(80);
    }

    @Test
    void serverInside_isReachedAroundTheProxy() throws Exception {
        String serve =
                "echo inside > b.txt; python3 -m http.server --bind 127.0.0.1 8123 >/dev/null 2>&1 &"
                        + " trap \"kill $!\" EXIT;"
                        + " curl -sS --retry 30 --retry-delay 1 --retry-connrefused"
                        + " http://localhost:8123/b.txt 2>/dev/null";
        assertThat(sh(serve, HTTP_PROXY, "no_proxy=localhost,127.0.0.1,::1").output())
                .isEqualTo("inside\n");
        assertThat(sh("curl -sS http://localhost:8123/b.txt", HTTP_PROXY).output())
                .contains("Glovebox refused", "NO_PROXY=localhost,127.0.0.1,::1");
    }

    @Test
    void git() throws Exception {
        Path work = directory.resolve("work");
        Programs.ok("git", "init", "-q", work.toString());
        Files.writeString(work.resolve("f"), "content");
        Programs.ok("git", "-C", work.toString(), "add", "f");
        Programs.ok(
                "git",
                "-C",
                work.toString(),
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b",
                "commit",
                "-qm",
                "first");
        String bare = files.resolve("repo.git").toString();
        Programs.ok("git", "clone", "-q", "--bare", work.toString(), bare);
        Programs.ok("git", "-C", bare, "update-server-info");

        assertThat(sh("git clone -q http://good.test/repo.git a && cat a/f", HTTP_PROXY).output())
                .isEqualTo("content");
        wentBy(3128);
        assertThat(
                        sh("git -c http.proxy="
                                        + ProxyClient.SOCKS
                                        + " clone -q http://good.test/repo.git b && cat b/f")
                                .output())
                .isEqualTo("content");
        wentBy(1080);
        sh(
                "git ls-remote https://good.test/repo.git",
                HTTPS_PROXY,
                "GIT_SSL_CAINFO=" + directory.resolve("bundle.pem"));
        assertThat(https.lines()).contains("GET /repo.git/info/refs?service=git-upload-pack");
        wentBy(3128);
        assertThat(sh("git ls-remote https://never.test/repo.git", HTTPS_PROXY).output())
                .contains("CONNECT tunnel failed, response 403");
    }

    /// What `ssh` and others take as a `ProxyCommand`.
    @Test
    void socat() throws Exception {
        String get =
                "printf 'GET /a.txt HTTP/1.0\\r\\nHost: good.test\\r\\n\\r\\n' | socat -t 8 - ";
        assertThat(sh(get + "PROXY:proxy.glovebox.internal:good.test:80,proxyport=3128").output())
                .contains("200 OK", "what is in a");
        wentBy(3128);
        assertThat(sh(get + "PROXY:proxy.glovebox.internal:never.test:80,proxyport=3128").output())
                .contains("never.test:80: Forbidden");
        assertThat(sh(get + "SOCKS4A:proxy.glovebox.internal:good.test:80,socksport=1080").output())
                .contains("request rejected or failed");
    }

    @Test
    void pythonUrllib() throws Exception {
        String script =
                "python3 -c 'import urllib.request as u; [print(u.urlopen(x).read()) for x in"
                        + " (\"http://good.test/a.txt\", \"https://good.test/p\")]'";
        assertThat(
                        sh(
                                        script,
                                        HTTP_PROXY,
                                        HTTPS_PROXY,
                                        "SSL_CERT_FILE=" + directory.resolve("bundle.pem"))
                                .output())
                .isEqualTo("b'what is in a\\n'\nb'GET /p good.test'\n");
        wentBy(3128);
        assertThat(
                        sh(
                                        "python3 -c 'import urllib.request as u;"
                                                + " u.urlopen(\"https://never.test/\")' 2>&1",
                                        HTTPS_PROXY)
                                .output())
                .contains("Tunnel connection failed: 403");
    }

    @Test
    void npm() throws Exception {
        Inside.Result viewed =
                sh(
                        "npm view --fetch-retries 0 --registry https://good.test/ some-package 2>&1",
                        HTTPS_PROXY,
                        "npm_config_cafile=" + directory.resolve("bundle.pem"));
        assertThat(https.lines()).as(viewed.output()).contains("GET /some-package");
        wentBy(3128);
        assertThat(
                        sh(
                                        "npm view --fetch-retries 0 --registry https://never.test/"
                                                + " some-package 2>&1",
                                        HTTPS_PROXY)
                                .output())
                .contains("403");
    }

    @Test
    void wget() throws Exception {
        assertThat(
                        sh(
                                        "wget -qO- --ca-certificate="
                                                + directory.resolve("bundle.pem")
                                                + " http://good.test/a.txt http://other.test/a.txt"
                                                + " https://good.test/w",
                                        HTTP_PROXY,
                                        HTTPS_PROXY)
                                .output())
                .isEqualTo("what is in a\nwhat is in a\nGET /w good.test");
        wentBy(3128);
        assertThat(sh("wget -O- https://never.test/ 2>&1", HTTPS_PROXY).output())
                .contains("Proxy tunneling failed: Forbidden");
    }

    @Test
    void apt() throws Exception {
        Path repository = Files.createDirectory(files.resolve("apt"));
        StringBuilder packages = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            packages.append(
                    "Package: p%s\nVersion: 1\nArchitecture: all\nFilename: apt/p%s.deb\nSize: 2\nMD5sum: 0\n\n"
                            .formatted(i, i));
        }
        Files.writeString(repository.resolve("Packages"), packages);
        String update =
                """
                mkdir -p apt/lists/partial apt/cache/archives/partial apt/etc
                touch apt/status
                for h in good other; do echo "deb [trusted=yes] http://$h.test apt/"; done > apt/sources.list
                apt-get -o Dir::State=$HOME/apt -o Dir::State::status=$HOME/apt/status -o Dir::Cache=$HOME/apt/cache \
                  -o Dir::Etc=$HOME/apt/etc -o Dir::Etc::sourcelist=$HOME/apt/sources.list -o Debug::NoLocking=1 \
                  -o Acquire::AllowInsecureRepositories=true -o Acquire::GzipIndexes=false -o Acquire::http::Proxy=PROXY update 2>&1
                grep -h ^Package: apt/lists/*Packages
                rm -r apt
                """;
        for (String proxy : List.of(ProxyClient.HTTP, ProxyClient.SOCKS)) {
            assertThat(sh(update.replace("PROXY", proxy)).output())
                    .as(proxy)
                    .contains("Package: p0\n", "Package: p7\n")
                    .doesNotContain("E: ");
            wentBy(proxy.equals(ProxyClient.HTTP) ? 3128 : 1080);
        }
    }
}
