package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Requests over HTTP/2 that mean something else when they are written as HTTP/1.1, and streams
/// that mean another host than their connection. The server speaks HTTP/1.1, and tells what it has
/// read.
class Http2AttackIT {
    private static final String SECRET = "sk-hush-0123456789";
    private static final String SEEN = "GET /x HTTP/1.1\r\nhost: good.test\r\n\r\n";

    @TempDir Path directory;
    private final List<String> connections = new CopyOnWriteArrayList<>();
    private DoorRig rig;
    private RawServer server;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        server =
                new RawServer(
                        rig.internet().vouch("*.test").context().getServerSocketFactory(),
                        this::answer);
        door =
                rig.open(
                        "one",
                        """
                        rules:
                          - {name: web, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d"}
                          - {name: other, host: other.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d"}
                          - {name: api, host: good.test, port: 8443, protocol: https, action: allow, connect: "127.0.0.1:%1$d",
                             credential: key}
                        credentials:
                          - {name: key, header: X-Key, format: "{}", source: {file: %2$s}}
                        """
                                .formatted(server.port(), rig.secret("key", SECRET)));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        server.close();
    }

    /// Notes the hosts that one connection is asked for.
    private void answer(RawServer.Talk talk) throws IOException {
        List<String> hosts = new ArrayList<>();
        for (String head = talk.head(); !head.isEmpty(); head = talk.head()) {
            hosts.add(head.replaceAll("(?is).*\r\nhost: ([^\r]*).*", "$1"));
            talk.answer("", head.lines().findFirst().orElse(""));
        }
        connections.add(String.join(",", hosts));
    }

    private Http2Frames connect(int port) throws Exception {
        return new Http2Frames(rig.tls(door, "good.test", port, "h2"));
    }

    private static String[] get(String path, String... more) {
        return Http2Frames.get("good.test", path, more);
    }

    private static String[] without(String name) {
        List<String> fields = new ArrayList<>(List.of(get("/x")));
        int at = fields.indexOf(name);
        fields.subList(at, at + 2).clear();
        return fields.toArray(String[]::new);
    }

    private static String[] with(String name, String value) {
        List<String> fields = new ArrayList<>(List.of(get("/x")));
        fields.set(fields.indexOf(name) + 1, value);
        return fields.toArray(String[]::new);
    }

    private static Map<String, String[]> smuggling() {
        Map<String, String[]> all = new LinkedHashMap<>();
        String line = "\r\nHost: evil.test";
        String request = "\r\n\r\nGET /y HTTP/1.1\r\nHost: good.test";
        for (String value : List.of("a" + line, "a" + request, "a\nb", "a\rb", "a\0b")) {
            all.put("in a value: " + value, get("/x", "x", value));
        }
        for (String name :
                List.of("x: y\r\nz", "x y", "X", "", "x:y", "x\0", "x\n", "(x)", "\u00e9")) {
            all.put("in a name: " + name, get("/x", name, "1"));
        }
        for (String name :
                List.of("connection", "keep-alive", "proxy-connection", "upgrade", "te")) {
            all.put("of a connection: " + name, get("/x", name, "x"));
        }
        all.put("two framings", get("/x", "transfer-encoding", "chunked", "content-length", "0"));
        all.put("chunks", get("/x", "transfer-encoding", "chunked"));
        for (String path :
                List.of(
                        "/a b",
                        "/a" + line,
                        "/a HTTP/1.1" + line + request,
                        "",
                        "*",
                        "a",
                        "https://evil.test/",
                        "//evil.test/",
                        "/a#b",
                        "/a\\b",
                        "/\0",
                        "/\u00e9")) {
            all.put("path " + path, get(path));
        }
        for (String method :
                List.of("GET /y HTTP/1.1" + line + request, "get", "", "G T", "TRACE", "G\0T")) {
            all.put("method " + method, with(":method", method));
        }
        all.put("tunnel", new String[] {":method", "CONNECT", ":authority", "evil.test:443"});
        all.put("tunnel to here", with(":method", "CONNECT"));
        String[] webSocket = get("/x", ":protocol", "websocket");
        webSocket[1] = "CONNECT";
        all.put("web socket", webSocket);
        all.put("two paths", get("/x", ":path", "/y"));
        all.put("two methods", get("/x", ":method", "POST"));
        all.put("no path", without(":path"));
        all.put("late path", get("/x", "x", "1", ":path", "/y"));
        all.put("unknown pseudo field", get("/x", ":other", "1"));
        all.put("status", get("/x", ":status", "200"));
        for (String length : List.of("5", "+0", "0x0", "-1", "99999999999999999999", " 0")) {
            all.put("length " + length, get("/x", "content-length", length));
        }
        all.put("two lengths", get("/x", "content-length", "0", "content-length", "5"));
        return all;
    }

    private void refused(String name, String... fields) throws Exception {
        int before = server.heads().size();
        try (Http2Frames client = connect(443)) {
            client.request(1, true, fields);
            assertThat(client.answer(1)).as(name).matches("(?s)(400|403|421) Glovebox.*|reset \\d");
        }
        assertThat(server.heads()).as(name).hasSize(before);
    }

    private void passes(String name, String... fields) throws Exception {
        server.heads().clear();
        try (Http2Frames client = connect(443)) {
            client.request(1, true, fields);
            assertThat(client.answer(1)).as(name).isEqualTo("200 GET /x HTTP/1.1");
        }
        assertThat(server.heads()).as(name).containsExactly(SEEN);
    }

    /// D26 over HTTP/2.
    @Test
    void requestSmuggledFromHttp2IntoHttp1_isRefused() throws Exception {
        passes("positive control", get("/x"));
        for (Map.Entry<String, String[]> each : smuggling().entrySet()) {
            refused(each.getKey(), each.getValue());
        }
        passes("names of the codec", get("/x", "x-http2-path", "/y", "x-http2-scheme", "evil"));
        passes("another scheme means nothing", with(":scheme", "http"));
    }

    /// D26: how long a body is, is said once, and bytes beyond it are no request.
    @Test
    void bodyThatIsLongerOrShorterThanItSays_isNoSecondRequest() throws Exception {
        String hidden = "GET /y HTTP/1.1\r\nHost: good.test\r\n\r\n";
        for (String length : List.of("0", "" + (hidden.length() - 1), "" + (hidden.length() + 1))) {
            try (Http2Frames client = connect(443)) {
                String[] fields = get("/x", "content-length", length);
                fields[1] = "POST";
                client.request(1, false, fields);
                client.send(
                        Http2Frames.DATA,
                        Http2Frames.END_STREAM,
                        1,
                        hidden.getBytes(StandardCharsets.US_ASCII));
                assertThat(client.answer(1)).as(length).matches("reset \\d|closed");
            }
        }
        assertThat(server.heads()).noneMatch(head -> head.contains("/y"));
        passes("positive control", get("/x"));
    }

    /// D19, D23, E2: a stream is for the host of its connection, in any spelling.
    @Test
    void streamsForAnotherHost_areMisdirectedOneByOne() throws Exception {
        passes("in capitals", with(":authority", "GOOD.TEST"));
        passes("with its port", with(":authority", "good.test:443"));
        passes("named twice", get("/x", "host", "good.test"));
        server.heads().clear();
        try (Http2Frames client = connect(443)) {
            int stream = 1;
            for (String authority :
                    List.of(
                            "evil.test",
                            "other.test",
                            "good.test.evil.test",
                            "user@good.test",
                            "good.test:444",
                            "good.test:443:443",
                            "good.test/",
                            "good.test,evil.test",
                            "good.test.",
                            "127.0.0.1")) {
                client.request(stream, true, with(":authority", authority));
                assertThat(client.answer(stream))
                        .as(authority)
                        .startsWith("421 Glovebox refused")
                        .contains("names another host");
                stream += 2;
            }
            client.request(stream, true, get("/x"));
            assertThat(client.answer(stream)).as("the same connection").startsWith("200");
        }
        refused("two authorities", get("/x", ":authority", "evil.test"));
        refused("host besides", get("/x", "host", "evil.test"));
        refused(
                "host instead",
                ":method",
                "GET",
                ":scheme",
                "https",
                ":path",
                "/x",
                "host",
                "e.test");
        refused("no authority", without(":authority"));
        assertThat(server.heads()).containsExactly(SEEN);
    }

    /// D23: three rules lead to one server, and each has a connection of its own to it.
    @Test
    void connectionsToAServer_areNotSharedAcrossHostsOrCredentials() throws Exception {
        for (int i = 0; i < 2; i++) {
            for (String url :
                    List.of(
                            "https://good.test/",
                            "https://other.test/",
                            "https://good.test:8443/")) {
                assertThat(rig.curl(door, url).output()).endsWith("200");
            }
        }
        assertThat(server.heads().stream().filter(head -> head.contains(SECRET))).hasSize(2);
        rig.close();
        server.close();
        assertThat(connections)
                .allMatch(hosts -> List.of(hosts.split(",")).stream().distinct().count() == 1);
        assertThat(String.join(",", connections).split(","))
                .hasSize(6)
                .contains("good.test", "other.test", "good.test:8443");
    }
}
