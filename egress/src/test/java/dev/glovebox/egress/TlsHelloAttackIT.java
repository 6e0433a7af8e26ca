package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// D17, D18, D20, D21: first messages of TLS that are cut, padded, doubled or none, where TLS
/// passes unread (port 443) and where it ends at the door (port 8443).
class TlsHelloAttackIT {
    private static final int PASSES = 443;
    private static final int ENDS = 8443;
    private static final DoorLimits LIMITS =
            new DoorLimits(
                    256,
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(2),
                    Duration.ofMinutes(10),
                    32 * 1024,
                    1024,
                    256,
                    Duration.ofSeconds(30));

    @TempDir Path directory;
    private DoorRig rig;
    private RawServer server;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        rig = DoorRig.limited(directory, LIMITS);
        server =
                new RawServer(
                        rig.internet().vouch("good.test").context().getServerSocketFactory(),
                        RawServer::echoes);
        door =
                rig.open(
                        "one",
                        """
                        rules:
                          - {name: passes, host: good.test, protocol: tls, action: allow, connect: "127.0.0.1:%1$d"}
                          - {name: ends, host: good.test, port: 8443, protocol: https, action: allow, connect: "127.0.0.1:%1$d"}
                        """
                                .formatted(server.port()));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        server.close();
    }

    /// Whether a ServerHello comes back.
    private boolean isGreeted(int port, byte[] hello, int piece) throws Exception {
        try (Socket socket = rig.connect(door, "good.test", port)) {
            socket.setTcpNoDelay(true);
            for (int at = 0; at < hello.length; at += piece) {
                socket.getOutputStream()
                        .write(Arrays.copyOfRange(hello, at, Math.min(hello.length, at + piece)));
            }
            InputStream in = socket.getInputStream();
            byte[] head = in.readNBytes(6);
            return head.length == 6 && head[0] == 22 && head[5] == 2;
        } catch (IOException e) {
            return false;
        }
    }

    private void greeted(String name, byte[] hello, int piece) throws Exception {
        for (int port : new int[] {PASSES, ENDS}) {
            assertThat(isGreeted(port, hello, piece)).as("%s at %d", name, port).isTrue();
        }
    }

    private void refused(int port, String name, byte[] hello) throws Exception {
        int before = server.connections();
        assertThat(isGreeted(port, hello, hello.length)).as("%s at %d", name, port).isFalse();
        assertThat(server.connections()).as(name).isEqualTo(before);
    }

    /// D17: a name is found however the hello is cut, so cutting it hides nothing.
    @Test
    void helloThatIsCut_isReadLikeAWholeOne() throws Exception {
        Hello good = Hello.of("good.test");
        greeted("whole", good.record(), 1 << 14);
        greeted("byte by byte", good.record(), 1);
        greeted("odd extensions (GREASE)", good.with(0x0a0a).with(0xfafa, (byte) 0).record(), 999);
        greeted("long", good.with(21, new byte[8_000]).record(), 4_000);
        assertThat(isGreeted(PASSES, good.records(7), 11)).as("records of 7 bytes").isTrue();

        Hello evil = Hello.of("evil.test");
        for (int size : new int[] {1, 5, 60, 1 << 14}) {
            refused(PASSES, "evil in records of " + size, evil.records(size));
            refused(ENDS, "evil in records of " + size, evil.records(size));
        }
    }

    private static Map<String, byte[]> malformed() throws Exception {
        Hello none = Hello.of("");
        Map<String, byte[]> all = new LinkedHashMap<>();
        all.put("two names", none.with(0, Hello.names("good.test", "evil.test")).record());
        all.put(
                "two name extensions",
                Hello.of("good.test").with(0, Hello.names("evil.test")).record());
        all.put("an empty name", none.with(0, Hello.names("")).record());
        all.put("no list of names", none.with(0, new byte[0]).record());
        for (String name :
                List.of(
                        "good.test.",
                        "good.test\0.evil.test",
                        " good.test",
                        "*.test",
                        "127.0.0.1",
                        "x.good.test")) {
            all.put(name, none.with(0, Hello.names(name)).record());
        }
        all.put("too long", Hello.of("good.test").with(21, new byte[17_000]).records(9_000));
        byte[] bytes = Hello.of("good.test").record();
        byte[] version2 = bytes.clone();
        version2[0] = (byte) 0x80;
        all.put("SSL 2", version2);
        byte[] alert = bytes.clone();
        alert[0] = 21;
        all.put("an alert first", alert);
        byte[] second = bytes.clone();
        second[5] = 2;
        all.put("a ServerHello", second);
        all.put("an endless record", new byte[] {22, 3, 1, (byte) 0xff, (byte) 0xff, 1});
        all.put("an empty record", new byte[] {22, 3, 1, 0, 0});
        return all;
    }

    @Test
    void helloThatNamesSeveralOrIsNone_isRefused() throws Exception {
        greeted("positive control", Hello.of("good.test").record(), 1 << 14);
        for (Map.Entry<String, byte[]> each : malformed().entrySet()) {
            refused(PASSES, each.getKey(), each.getValue());
            refused(ENDS, each.getKey(), each.getValue());
        }
        refused(PASSES, "no name", Hello.of("").record());
        assertThat(isGreeted(ENDS, Hello.of("").record(), 999))
                .as("no name, where the door answers as the host that was dialled")
                .isTrue();
    }

    /// D18.
    @Test
    void helloThatHidesAnotherName_doesNotPassUnread() throws Exception {
        byte[] encrypted = new byte[1 + 4 + 1 + 2 + 32 + 2 + 144];
        ByteBuffer.wrap(encrypted)
                .put((byte) 0) // outer
                .putShort((short) 1) // HKDF-SHA256
                .putShort((short) 1) // AES-128-GCM
                .put((byte) 7)
                .putShort((short) 32)
                .put(new byte[32])
                .putShort((short) 144);
        Hello hiding = Hello.of("good.test").with(Hello.ENCRYPTED_HELLO, encrypted);
        refused(PASSES, "encrypted hello", hiding.record());
        byte[] broken = new byte[200];
        refused(
                PASSES,
                "hello that is not even encrypted",
                Hello.of("good.test").with(Hello.ENCRYPTED_HELLO, broken).record());
        assertThat(isGreeted(ENDS, hiding.record(), 999)).as("seen by nobody").isTrue();
        assertThat(isGreeted(PASSES, Hello.of("good.test").record(), 999)).isTrue();
        assertThat(door.denialsSince(Instant.EPOCH))
                .extracting(Denial::reason)
                .contains("the ClientHello may hide another name (ECH)");
    }

    /// D20, D21: SSH, SMTP and the like at a port of TLS, by a real client that waits for the
    /// server.
    @Test
    void otherProtocols_areCutWithoutAWordToTheServer() throws Exception {
        assertThat(rig.curl(door, "https://good.test:8443/").output()).endsWith("200");
        int before = server.connections();
        for (int port : new int[] {PASSES, ENDS}) {
            for (String first :
                    List.of(
                            "SSH-2.0-x\r\n",
                            "EHLO x\r\n",
                            "GET / HTTP/1.1\r\n\r\n",
                            "\0\0\0\b\4\322\26/")) {
                String answer =
                        new Client(door)
                                .say(
                                        DoorRig.address(door, "good.test").getHostAddress(),
                                        port,
                                        first);
                assertThat(answer.getBytes(StandardCharsets.ISO_8859_1))
                        .as(first)
                        .hasSizeLessThan(8);
            }
            Instant start = Instant.now();
            Inside.Result ssh =
                    rig.inside(door)
                            .run(
                                    "ssh",
                                    "-F/dev/null",
                                    "-oStrictHostKeyChecking=no",
                                    "-oUserKnownHostsFile=/dev/null",
                                    "-p" + port,
                                    "git@good.test");
            assertThat(ssh.exit()).isEqualTo(255);
            assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(20));
            try (Socket waits = rig.connect(door, "good.test", port)) {
                waits.setSoTimeout(20_000);
                assertThat(Client.rest(waits)).doesNotContain("[nothing more]");
            }
        }
        assertThat(server.connections()).isEqualTo(before);
        assertThat(door.denialsSince(Instant.EPOCH))
                .extracting(Denial::reason)
                .contains("the first bytes are not TLS", "no ClientHello came in time");
    }
}
