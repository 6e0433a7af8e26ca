package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.egress.audit.AuditTrail;
import dev.glovebox.egress.audit.Observations;
import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.HostName;
import dev.glovebox.protocol.egress.learn.Proposal;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A door whose policy learns, before a fake internet whose every packet is counted, and the policy
/// that is proposed from what it wrote down.
class LearnIT {
    private static final String POLICY =
            """
            default: learn
            rules:
              - {name: never, host: evil.test, ports: ["1-65535"], action: deny}
              - {name: read, host: api.test, protocol: http, methods: [GET], action: allow}
            """;

    @RegisterExtension final Internet internet = new Internet();

    @TempDir Path directory;
    private Path trail;
    private Doors doors;
    private Door door;
    private Inside inside;
    private FakeWeb good;
    private FakeHttps secure;
    private final List<FakeWeb> canaries = new ArrayList<>();

    @BeforeEach
    void open() throws Exception {
        good = internet.web(Internet.GOOD);
        secure = https(443);
        https(8443);
        banner(7000);
        for (String address :
                List.of(Internet.EVIL, Internet.INTRANET, Internet.METADATA, Internet.METADATA_6)) {
            canaries.add(internet.web(address));
        }
        canaries.add(internet.webOfHost(Internet.HOST, 80));
        internet.name("api.test", Internet.GOOD);
        internet.name("inner.test", Internet.INTRANET);
        internet.name("meta.test", Internet.METADATA);
        internet.name("own.test", Internet.HOST);
        trail = directory.resolve("audit");
        AuditLog log = internet.closedLater(AuditLog.open(AuditConfig.at(trail)));
        doors =
                internet.doors(
                        new EgressConfig(
                                        directory.resolve("doors"),
                                        DoorLimits.DEFAULT,
                                        internet.resolver())
                                .withAudit(log));
        door = internet.door(doors, "one", EgressPolicy.parse(POLICY));
        inside = new Inside(door, directory);
    }

    private FakeHttps https(int port) throws Exception {
        var identity = new TestAuthority("Fake Internet Root").vouch("good.test");
        return internet.closedLater(
                internet.out()
                        .enter(() ->
                                new FakeHttps(
                                        identity, InetAddress.ofLiteral(Internet.GOOD), port)));
    }

    /// A server that speaks first, then says back what it hears.
    private void banner(int port) {
        ServerSocket server =
                internet.closedLater(
                        internet.out()
                                .enter(() -> {
                                    ServerSocket socket = new ServerSocket();
                                    socket.bind(new InetSocketAddress(Internet.GOOD, port));
                                    return socket;
                                }));
        Thread.ofVirtual()
                .start(() -> {
                    while (!server.isClosed()) {
                        try {
                            Socket client = server.accept();
                            Thread.ofVirtual().start(() -> echo(client));
                        } catch (IOException _) {
                            return;
                        }
                    }
                });
    }

    private static void echo(Socket client) {
        try (client) {
            client.getOutputStream().write("welcome\n".getBytes(StandardCharsets.US_ASCII));
            client.getInputStream().transferTo(client.getOutputStream());
        } catch (IOException _) {
            // the client has gone
        }
    }

    /// What the agent of this story does.
    private void work() throws Exception {
        assertThat(inside.curl("http://good.test/a?x=1").output())
                .isEqualTo("GET /a?x=1 good.test\n200");
        assertThat(inside.curl("-k", "https://good.test/b").output())
                .isEqualTo("GET /b good.test\n200");
        assertThat(inside.curl("-k", "https://good.test:8443/c").output())
                .isEqualTo("GET /c good.test:8443\n200");
        assertThat(inside.curl("http://" + Internet.GOOD + "/d").output()).endsWith("200");
        assertThat(talk("")).isEqualTo("welcome\n");
        assertThat(talk("hi")).isEqualTo("welcome\nhi");
        assertThat(inside.curl("http://api.test/e").output()).endsWith("200");
        assertThat(inside.curl("-d", "x", "http://api.test/f").output()).endsWith("200");
    }

    @Test
    void whatNoRuleSpeaksOf_passesAndIsMarkedAsFarAsItIsSeen() throws Exception {
        work();

        assertThat(records("connection"))
                .as("seen of each connection: verdict, rule, protocol, host, port")
                .contains(
                        "learn - http good.test 80",
                        "learn - tls good.test 443",
                        "learn - tcp good.test 8443",
                        "learn - http 203.0.113.10 80",
                        "learn - tcp good.test 7000",
                        "allow read http api.test 80");
        assertThat(records("request"))
                .contains(
                        "learn - http good.test 80 GET /a",
                        "allow read http api.test 80 GET /e",
                        "learn - http api.test 80 POST /f");
        await().untilAsserted(
                        () -> assertThat(records("found")).containsExactly("  tls good.test 8443"));
        assertThat(new AuditTrail(trail).verify(Optional.empty()))
                .isInstanceOf(AuditTrail.Verdict.Whole.class);
    }

    /// Learning lets nobody past a rule that denies, to a private or metadata address however it is
    /// named, or to the worker's own machine; nor does a hello that names another host pass.
    @Test
    void whatMustStayShut_staysShutWhileLearning() throws Exception {
        assertThat(inside.curl("http://good.test/ok").output()).endsWith("200");
        long before = internet.packets();

        for (String url :
                List.of(
                        "http://evil.test/",
                        "https://evil.test/",
                        "http://evil.test:8080/",
                        "http://" + Internet.INTRANET + "/",
                        "http://" + Internet.METADATA + "/latest/meta-data/",
                        "http://[" + Internet.METADATA_6 + "]/",
                        "http://inner.test/",
                        "http://meta.test/",
                        "http://own.test/",
                        "http://" + Internet.HOST + "/",
                        "http://intranet/",
                        "http://127.0.0.1:9/",
                        "http://198.18.1.99/")) {
            assertThat(inside.curl(url).output()).as(url).doesNotEndWith("200");
        }
        assertThat(internet.packets()).as("packets outside").isEqualTo(before);
        assertThat(canaries).allSatisfy(canary -> assertThat(canary.seen()).isEmpty());

        Inside.Result fronted =
                inside.curl(
                        "-k",
                        "--connect-to",
                        "other.test:443:good.test:443",
                        "https://other.test/");
        assertThat(fronted.output()).doesNotContain("200");
        assertThat(secure.seen()).isEmpty();
    }

    @Test
    void theProposal_allowsWhatWasDoneAndNothingElse() throws Exception {
        work();
        inside.curl("http://inner.test/");
        inside.curl("http://own.test/");
        inside.curl("http://evil.test/");
        inside.curl("http://" + Internet.INTRANET + "/");
        await().until(() -> records("connection").stream().anyMatch(r -> r.contains("10.0.0.5")));

        Proposal proposal = proposal(false);
        assertThat(proposal.policy().rules().stream().map(EgressRule::name))
                .containsExactlyInAnyOrder(
                        "203.0.113.10", "api.test", "good.test", "good.test-443", "good.test-7000");
        assertThat(proposal.text())
                .contains("#   inner.test:80, the name leads to no public address")
                .contains("#   own.test:80, the name leads to no public address");
        assertThat(proposal(true).policy().rules().stream().map(EgressRule::host))
                .as("with what was refused")
                .noneMatch(host -> host.text().equals(Internet.INTRANET))
                .noneMatch(host -> host.text().equals("evil.test"));

        Door second = internet.door(doors, "two", EgressPolicy.parse(proposal.text()));
        Inside again = new Inside(second, directory);
        good.seen().clear();
        assertThat(again.curl("http://good.test/a?x=1").output()).endsWith("200");
        assertThat(again.curl("-k", "https://good.test/b").output()).endsWith("200");
        assertThat(again.curl("-k", "https://good.test:8443/c").output()).endsWith("200");
        assertThat(again.curl("http://" + Internet.GOOD + "/d").output()).endsWith("200");
        assertThat(again.curl("-d", "x", "http://api.test/f").output()).endsWith("200");
        assertThat(again.curl("http://api.test/e").output())
                .as("a rule's, not learned")
                .endsWith("403");
        assertThat(again.curl("http://good.test/other").output()).endsWith("403");
        assertThat(again.curl("-d", "x", "http://good.test/a").output()).endsWith("403");
        assertThat(again.curl("http://good.test:7001/").exit()).isNotZero();
        assertThat(again.curl("http://new.test/").exit()).isEqualTo(6);
        assertThat(good.seen()).hasSize(3);
    }

    /// What was let pass while the policy learned has no right to go on when it no longer does.
    @Test
    void whenLearningEnds_whatWasLearnedIsCut() throws Exception {
        Client client = new Client(door);
        InetAddress raw = address("good.test");
        InetAddress api = address("api.test");
        try (Socket learned = client.connect(raw, 7000);
                Socket kept = client.connect(api, 80)) {
            assertThat(learned.getInputStream().readNBytes(8)).hasSize(8);
            get(kept, "POST");
            assertThat(good.seen().getLast().line()).isEqualTo("POST /");

            door.policy(EgressPolicy.parse(POLICY.replace("learn", "deny")), "test");

            assertThat(Client.rest(learned)).isEqualTo("[reset]");
            assertThat(Client.rest(kept)).as("a request of it was learned").endsWith("[reset]");
        }
        assertThat(inside.curl("http://api.test/").output()).endsWith("200");
        assertThat(inside.curl("-d", "x", "http://api.test/").output()).endsWith("403");
        assertThat(inside.curl("http://good.test/").exit()).isEqualTo(6);
    }

    private InetAddress address(String name) {
        return door.names().addressesOf(HostName.parse(name)).orElseThrow().four();
    }

    private static void get(Socket socket, String method) throws IOException {
        socket.getOutputStream()
                .write(
                        (method + " / HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
        assertThat(new String(socket.getInputStream().readNBytes(15), StandardCharsets.US_ASCII))
                .isEqualTo("HTTP/1.1 200 OK");
    }

    private Proposal proposal(boolean refused) throws IOException {
        Observations observations = new Observations(false, refused);
        new AuditTrail(trail).query(_ -> true, observations::add);
        return observations.proposal(true);
    }

    private List<String> records(String event) {
        List<String> records = new ArrayList<>();
        try {
            new AuditTrail(trail)
                    .query(
                            record -> record.path("event").asString("").equals(event),
                            record -> records.add(words(record)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return records;
    }

    private static String words(JsonNode record) {
        List<String> words = new ArrayList<>();
        for (String field :
                List.of("verdict", "rule", "protocol", "host", "port", "method", "path")) {
            JsonNode value = record.path(field);
            if (!value.isMissingNode() || words.size() < 2) {
                words.add(value.asString(""));
            }
        }
        return String.join(" ", words);
    }

    /// What the server that speaks first says, and answers to a text.
    private String talk(String text) throws Exception {
        String program =
                """
                import socket, sys
                s = socket.create_connection(("good.test", 7000), 5)
                s.sendall(sys.argv[1].encode())
                heard = ""
                while len(heard) < len("welcome ") + len(sys.argv[1]):
                    heard += s.recv(99).decode()
                sys.stdout.write(heard)
                """;
        return inside.run("/usr/bin/python3", "-c", program, text).output();
    }
}
