package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.InputStream;
import java.io.Writer;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// D36, D38, E19: who a door is. Its certificates are good for one sandbox and one life; without
/// them there is no door; and a door of the same name is another door.
class DoorIdentityIT {
    /// Connects when it is told to.
    private static final String STAYS =
            """
            import socket, sys
            sys.stdin.readline()
            try:
                one = socket.create_connection((sys.argv[1], 80), 5)
                one.send(b"GET /left HTTP/1.1\\r\\nHost: good.test\\r\\n\\r\\n")
                print(one.recv(100))
            except OSError as e:
                print(type(e).__name__, "Error")
            """;

    @TempDir Path directory;
    private DoorRig rig;
    private RawServer secure;
    private RawServer clear;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        secure =
                new RawServer(
                        rig.internet().vouch("good.test").context().getServerSocketFactory(),
                        RawServer::echoes);
        clear = new RawServer(RawServer::echoes);
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        secure.close();
        clear.close();
    }

    private String policy(String more) throws Exception {
        return """
        rules:
          - {name: secure, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d"}
          - {name: other, host: other.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d"}
          - {name: clear, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%2$d"}
        """
                        .formatted(secure.port(), clear.port())
                + more;
    }

    private String get(Door door, Path bundle) throws Exception {
        Inside.Result result =
                rig.inside(door).curl("--cacert", bundle.toString(), "https://good.test/x");
        return result.exit() == 0 ? result.output() : "exit " + result.exit();
    }

    /// D36.
    @Test
    void authorityOfOneDoor_isBelievedByNoOtherAndNotAfterIt() throws Exception {
        Door one = rig.open("one", policy(""));
        Door two = rig.open("two", policy(""));
        assertThat(get(one, rig.bundle(one))).isEqualTo("GET /x HTTP/1.1\n200");
        assertThat(get(two, rig.bundle(two))).isEqualTo("GET /x HTTP/1.1\n200");
        assertThat(get(two, rig.bundle(one))).as("believing the other").isEqualTo("exit 60");
        Path old = rig.bundle(one);
        one.close();
        Door again = rig.open("one", policy(""));
        assertThat(get(again, old)).as("believing the one before").isEqualTo("exit 60");
        assertThat(get(again, rig.bundle(again))).endsWith("200");
    }

    /// D36: for one host, one day, servers only; and whoever asks for another host gets none.
    @Test
    void certificates_areForTheHostThatWasDialledAndADay() throws Exception {
        Door door = rig.open("one", policy(""));
        for (String host : List.of("good.test", "other.test")) {
            try (SSLSocket socket = rig.tls(door, host, 443, "http/1.1")) {
                X509Certificate leaf =
                        (X509Certificate) socket.getSession().getPeerCertificates()[0];
                assertThat(leaf.getSubjectAlternativeNames()).containsExactly(List.of(2, host));
                assertThat(leaf.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.1");
                assertThat(leaf.getBasicConstraints()).isEqualTo(-1);
                assertThat(leaf.getNotAfter().toInstant())
                        .isBefore(Instant.now().plus(Duration.ofHours(24)));
            }
        }
        try (InputStream in = Files.newInputStream(door.trustFiles().authority())) {
            X509Certificate authority =
                    (X509Certificate)
                            CertificateFactory.getInstance("X.509").generateCertificate(in);
            assertThat(authority.getNotAfter().toInstant())
                    .isBefore(Instant.now().plus(Duration.ofHours(24)));
            assertThat(authority.getBasicConstraints()).as("authorities below it").isZero();
        }
    }

    /// D36: nothing that is on disk can sign.
    @Test
    void keys_areInNoFile() throws Exception {
        Door door = rig.open("one", policy(""));
        assertThat(get(door, rig.bundle(door))).endsWith("200");
        int certificates = 0;
        try (Stream<Path> files = Files.walk(directory.resolve("doors"))) {
            for (Path file :
                    files.filter(Files::isRegularFile)
                            .filter(each -> !each.toString().endsWith(".net"))
                            .toList()) {
                String text = Files.readString(file, StandardCharsets.ISO_8859_1);
                assertThat(text).as("%s", file).doesNotContain("PRIVATE KEY");
                certificates += text.contains("BEGIN CERTIFICATE") ? 1 : 0;
            }
        }
        assertThat(certificates).as("positive control").isGreaterThanOrEqualTo(2);
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(door.trustFiles().store())) {
            store.load(in, null);
        }
        assertThat(Collections.list(store.aliases()))
                .isNotEmpty()
                .noneMatch(alias -> isKey(store, alias));
    }

    private static boolean isKey(KeyStore store, String alias) {
        try {
            return store.isKeyEntry(alias);
        } catch (KeyStoreException e) {
            throw new IllegalStateException(e);
        }
    }

    /// D38: no fallback to passing bytes through.
    @Test
    void doorThatCannotShowItsCertificates_isNotOpened() throws Exception {
        Path trust = directory.resolve("doors/one.trust");
        Files.writeString(trust, "in the way");
        assertThatThrownBy(() -> rig.open("one", policy("")))
                .isInstanceOf(EgressException.class)
                .hasMessageContaining("certificates");
        assertThat(Files.exists(directory.resolve("doors/one.net")))
                .as("no namespace to join")
                .isFalse();
        assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
                .doesNotContain(directory.resolve("doors/one.net").toString());
        Files.delete(trust);
        Path mount = Files.createDirectory(trust);
        Programs.ok("mount", "-t", "tmpfs", "-o", "ro", "none", mount.toString());
        try {
            assertThatThrownBy(() -> rig.open("one", policy("")))
                    .isInstanceOf(EgressException.class);
        } finally {
            Programs.ok("umount", mount.toString());
        }
        Files.delete(mount);
        Door door = rig.open("one", policy(""));
        assertThat(get(door, rig.bundle(door))).endsWith("200");
        assertThat(secure.connections()).isEqualTo(1);
    }

    /// E19: what is left of a sandbox speaks through no later door of the same name, and what it
    /// had been granted is gone.
    @Test
    void doorOfTheSameName_isAnotherDoor() throws Exception {
        String more =
                "  - {name: asks, host: asks.test, protocol: http, action: ask, connect: \"127.0.0.1:%d\"}\n"
                        .formatted(clear.port());
        String spent =
                policy(more)
                        .replace("{name: clear,", "{name: clear, budget: {requests: 2, per: 1h},");
        Door first = rig.open("one", spent);
        InetAddress address = DoorRig.address(first, "good.test");
        Client left = new Client(first);
        Process stays =
                rig.inside(first)
                        .start("/usr/bin/python3", "-u", "-c", STAYS, address.getHostAddress());
        Destination asked = new Destination(HostName.parse("asks.test"), 80);
        Socket waiting = left.connect(DoorRig.address(first, "asks.test"), 80);
        await().until(() -> !first.questions().isEmpty());
        assertThat(first.answer(asked, true, Duration.ofHours(1), "test")).isTrue();
        waiting.close();
        assertThat(rig.curl(first, "http://asks.test/").output()).as("approved").endsWith("200");
        try (Socket open = left.connect(address, 80)) {
            assertThat(ask(open)).contains("200 OK");
            assertThat(ask(open)).contains("200 OK");
            assertThat(rig.curl(first, "http://good.test/").output()).as("spent").endsWith("429");
            int before = clear.heads().size();

            first.close();
            Door second = rig.open("one", spent);

            assertThat(open.getInputStream().read()).as("its connection").isEqualTo(-1);
            try (Writer line = stays.outputWriter()) {
                line.write("now\n");
            }
            assertThat(stays.inputReader().readLine())
                    .as("a process that stayed behind")
                    .contains("Error");
            assertThat(clear.heads()).hasSize(before);
            assertThat(second.questions()).isEmpty();
            assertThat(second.denialsSince(Instant.EPOCH)).isEmpty();
            assertThat(second.answer(asked, true, Duration.ofHours(1), "test"))
                    .as("nobody has asked here")
                    .isFalse();
            assertThat(rig.curl(second, "http://good.test/").output())
                    .as("its own budget")
                    .endsWith("200");
        }
    }

    private static String ask(Socket socket) throws Exception {
        socket.getOutputStream()
                .write(
                        "GET /x HTTP/1.1\r\nHost: good.test\r\n\r\n"
                                .getBytes(StandardCharsets.US_ASCII));
        String answer = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nGET /x HTTP/1.1";
        return new String(
                socket.getInputStream().readNBytes(answer.length()), StandardCharsets.US_ASCII);
    }

    /// A policy that is not one leaves what was before, and says so.
    @Test
    void policyThatIsNone_changesNothing() throws Exception {
        Door door = rig.open("one", policy(""));
        for (String text :
                List.of(
                        "rules: [",
                        "rules: {}",
                        "rule: []",
                        "rules: [{name: a, host: '*', action: allow}]",
                        "rules: [{host: a.test}]")) {
            assertThatThrownBy(() -> door.policy(EgressPolicy.parse(text)))
                    .as(text)
                    .isInstanceOf(RuntimeException.class);
        }
        assertThat(get(door, rig.bundle(door))).endsWith("200");
        door.policy(EgressPolicy.parse("rules: []"));
        assertThat(get(door, rig.bundle(door))).as("no rule").isEqualTo("exit 6");
    }
}
