package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// D25, D27: ways to write a path so that the door takes it for a public one and nginx, which
/// serves both, for another.
class PathAttackIT {
    private static final List<String> PARENTS =
            List.of(
                    "..",
                    "%2e%2e",
                    "%2E%2e",
                    ".%2e",
                    "%2e.",
                    "..;",
                    "..;a=b",
                    "..%00",
                    "..%20",
                    "%252e%252e",
                    "%25%32%65.",
                    "%c0%ae%c0%ae",
                    "%u002e%u002e",
                    "%ef%bc%8e.",
                    "...",
                    ".");
    private static final List<String> SLASHES =
            List.of("/", "//", "%2f", "%2F", "%5c", "\\", "%252f", "%c0%af", "/./", "/;/");

    @TempDir Path directory;
    private DoorRig rig;
    private Nginx nginx;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        Path www = directory.resolve("www");
        Files.createDirectories(www.resolve("public/sub"));
        Files.writeString(www.resolve("public/page"), "for everybody");
        Files.createDirectories(www.resolve("secret"));
        Files.writeString(www.resolve("secret/page"), "for nobody");
        nginx = Nginx.clear(directory.resolve("nginx"), "root " + www + ";");
        door =
                rig.open(
                        "one",
                        """
                        rules:
                          - {name: public, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%d",
                             methods: [GET], paths: ["/public/**"]}
                        """
                                .formatted(nginx.port()));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        nginx.close();
    }

    private static List<String> targets() {
        List<String> all = new ArrayList<>();
        for (String parent : PARENTS) {
            for (String slash : SLASHES) {
                all.add("/public/" + parent + slash + "secret/page");
                all.add("/public/sub/" + parent + slash + parent + slash + "secret/page");
            }
        }
        all.addAll(
                List.of(
                        "/secret/page",
                        "//secret/page",
                        "/./secret/page",
                        "/%73ecret/page",
                        "/secret/page?/public/",
                        "/secret/page#/public/",
                        "/public/%2e%2e/secret/page?x",
                        "/public?/../secret/page",
                        "/public/../secret/page?/public/",
                        "/public/..%2fsecret/page#",
                        "/public%2f..%2fsecret%2fpage",
                        "/public%00/../secret/page",
                        "/PUBLIC/../secret/page",
                        "http://good.test/secret/page",
                        "http://good.test/public/../secret/page",
                        "/public/page/../../secret/page",
                        "/public/page%0d%0aX:%20y/../../secret/page",
                        "/public/*/../../secret/page",
                        "*",
                        "public/../secret/page"));
        return all;
    }

    private static String said(Socket socket, String... targets) throws IOException {
        StringBuilder requests = new StringBuilder();
        for (int i = 0; i < targets.length; i++) {
            requests.append("GET ").append(targets[i]).append(" HTTP/1.1\r\nHost: good.test\r\n");
            requests.append(i + 1 < targets.length ? "\r\n" : "Connection: close\r\n\r\n");
        }
        try (socket) {
            socket.getOutputStream()
                    .write(requests.toString().getBytes(StandardCharsets.ISO_8859_1));
            return Client.rest(socket);
        }
    }

    private Socket direct() throws IOException {
        return new Socket(InetAddress.ofLiteral("127.0.0.1"), nginx.port());
    }

    private Socket inside() {
        return rig.connect(door, "good.test", 80);
    }

    @Test
    void pathThatMeansAnotherToTheServer_isNotPassedOn() throws Exception {
        assertThat(said(inside(), "/public/page")).endsWith("for everybody");
        assertThat(said(inside(), "/%70ublic/%70age")).as("written anew").endsWith("for everybody");
        List<String> targets = targets();
        assertThat(targets).hasSizeGreaterThan(300);
        int past = 0;
        for (String target : targets) {
            past += said(direct(), target).contains("for nobody") ? 1 : 0;
        }
        assertThat(past).as("ways that lead there past the door").isGreaterThan(30);
        Files.writeString(directory.resolve("nginx/access.log"), "");
        for (String target : targets) {
            assertThat(said(inside(), target))
                    .as(target)
                    .doesNotContain("for nobody")
                    .matches("(?s)HTTP/1.1 (400|403|404|301|200) .*");
        }
        assertThat(nginx.seen())
                .filteredOn(
                        line -> !line.contains("||400|||")) // came directly, and was logged late
                .allMatch(line -> line.split("\\|", 6)[5].startsWith("/public/"));
    }

    /// D25.
    @Test
    void secondRequestOfOneConnection_isJudgedLikeTheFirst() throws Exception {
        assertThat(said(direct(), "/public/page", "/secret/page")).endsWith("for nobody");
        await().until(() -> nginx.seen().size() == 2); // it is logged after it is answered
        Files.writeString(directory.resolve("nginx/access.log"), "");
        String answers = said(inside(), "/public/page", "/secret/page", "/public/page");
        assertThat(answers)
                .startsWith("HTTP/1.1 200")
                .contains("for everybody", "HTTP/1.1 403")
                .containsOnlyOnce("HTTP/1.1 200")
                .doesNotContain("for nobody");
        assertThat(nginx.seen()).singleElement().asString().endsWith("|/public/page|/public/page");
    }
}
