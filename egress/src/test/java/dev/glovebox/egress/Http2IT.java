package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// HTTP/2 with clients and a server that were not written for a test: h2load, nghttp, curl,
/// openssl, and nginx.
class Http2IT {
    private static final String SECRET = "sk-hush-0123456789";

    @TempDir Path directory;
    private DoorRig rig;
    private Nginx nginx;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        Path www = Files.createDirectories(directory.resolve("www"));
        Files.writeString(www.resolve("small"), "small page\n");
        Files.write(www.resolve("large"), new byte[2 << 20]);
        nginx =
                Nginx.secure(
                        directory.resolve("nginx"),
                        rig.internet().vouch("good.test"),
                        """
                        root %s; client_max_body_size 100m; keepalive_requests 100000;
                        location /key { return 200 "$http_x_key\\n"; }
                        location /put { dav_methods PUT; create_full_put_path on; root %s; }
                        """
                                .formatted(www, directory));
        door =
                rig.open(
                        "one",
                        """
                        rules:
                          - {name: web, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d"}
                          - {name: api, host: good.test, port: 8443, protocol: https, action: allow, connect: "127.0.0.1:%1$d", credential: key}
                        credentials:
                          - {name: key, header: X-Key, format: "{}", source: {file: %2$s}}
                        """
                                .formatted(nginx.port(), rig.secret("key", SECRET)));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        nginx.close();
    }

    private String inside(String... command) throws IOException, InterruptedException {
        Inside.Result result = rig.inside(door).run(command);
        assertThat(result.exit()).as(result.output()).isZero();
        return result.output();
    }

    /// How many connections nginx has seen for a target, all of HTTP/2.
    private long connections(String target) throws IOException {
        List<String[]> lines =
                nginx.seen().stream()
                        .map(line -> line.split("\\|", -1))
                        .filter(line -> line[4].equals(target))
                        .toList();
        assertThat(lines).isNotEmpty().allMatch(line -> line[1].equals("HTTP/2.0"));
        return lines.stream().map(line -> line[0]).distinct().count();
    }

    @Test
    void clientAndServerAgreeOnAVersion_eachWithTheDoor() throws Exception {
        for (Map.Entry<String, String> each :
                Map.of(
                                "h2", "ALPN protocol: h2",
                                "http/1.1", "ALPN protocol: http/1.1",
                                "http/1.1,h2", "ALPN protocol: h2",
                                "spdy/3", "No ALPN negotiated")
                        .entrySet()) {
            assertThat(
                            inside(
                                    "sh",
                                    "-c",
                                    "openssl s_client -connect good.test:443 -servername good.test"
                                            + " -CAfile \"$1\" -verify_return_error -alpn \"$0\" </dev/null",
                                    each.getKey(),
                                    rig.bundle(door).toString()))
                    .as(each.getKey())
                    .contains(each.getValue(), "Verify return code: 0 (ok)");
        }
        for (String version : List.of("--http1.0", "--http1.1", "--http2")) {
            assertThat(rig.curl(door, version, "https://good.test/small").output())
                    .as(version)
                    .isEqualTo("small page\n\n200");
        }
        connections("/small");
    }

    @Test
    void manyStreamsOfAClient_shareOneConnectionToTheServer() throws Exception {
        assertThat(inside("h2load", "-n500", "-c1", "-m50", "https://good.test/small"))
                .contains("500 succeeded, 0 failed", "status codes: 500 2xx");
        assertThat(connections("/small")).isEqualTo(1);
        assertThat(inside("h2load", "-n300", "-c6", "-m20", "https://good.test/key"))
                .contains("300 succeeded, 0 failed");
        assertThat(connections("/key")).as("one for each client").isLessThanOrEqualTo(6);
        assertThat(inside("h2load", "-n40", "-c2", "-m10", "https://good.test/large"))
                .contains("40 succeeded, 0 failed");
    }

    @Test
    void credentialIsOnEveryStream_andUploadsPass() throws Exception {
        String pages = inside("nghttp", "--no-verify-peer", "-m20", "https://good.test:8443/key");
        assertThat(pages)
                .as("covered, as it is echoed")
                .hasSize(20 * (SECRET.length() + 1))
                .doesNotContain(SECRET);
        Path upload = Files.write(directory.resolve("upload"), new byte[3 << 20]);
        assertThat(
                        rig.curl(
                                        door,
                                        "--http2",
                                        "-T",
                                        upload.toString(),
                                        "https://good.test:8443/put/there")
                                .output())
                .endsWith("201");
        assertThat(Files.size(directory.resolve("put/there"))).isEqualTo(3 << 20);
    }
}
