package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.egress.audit.AuditTrail;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import dev.glovebox.protocol.egress.file.PolicyTree;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// A door that is given another policy while it is open.
class DoorPolicyIT {
    private static final String STAYS =
            """
              - {name: stays, host: 203.0.113.1, port: 7000, protocol: tcp, action: allow, connect: "127.0.0.1:WEB"}
            """;
    private static final String OLD =
            """
              - {name: old, host: old.test, port: 7000, protocol: tcp, action: allow, connect: "127.0.0.1:WEB"}
              - {name: old-web, host: old.test, protocol: http, action: allow, connect: "127.0.0.1:WEB"}
            """;
    private static final String NEW =
            """
              - {name: new, host: new.test, protocol: http, action: allow, connect: "127.0.0.1:WEB"}
            """;

    @TempDir Path directory;
    private FakeWeb web;
    private Doors doors;
    private Door door;
    private Client client;
    private Inside inside;

    @BeforeEach
    void open() throws Exception {
        web = new FakeWeb();
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")));
        door = doors.open("one", EgressPolicy.DENY_ALL);
        client = new Client(door);
        inside = new Inside(door, directory);
    }

    @AfterEach
    void close() throws Exception {
        doors.close();
        web.close();
    }

    @Test
    void aDoorThatAllowedNothing_opensForItsSession() throws Exception {
        assertThat(inside.curl("http://new.test/").exit()).isEqualTo(6);

        door.policy(policy(NEW));

        assertThat(inside.curl("http://new.test/a").output()).isEqualTo("GET /a new.test\n200");
        assertThat(inside.curl("http://old.test/").exit()).isEqualTo(6);
    }

    @Test
    void connectionsToWhatIsNoLongerAllowed_areCutAndOthersStay() throws Exception {
        door.policy(policy(STAYS + OLD));
        InetAddress old = address("old.test");
        Instant start = Instant.now();
        try (Socket stays = client.connect("203.0.113.1", 7000);
                Socket raw = client.connect(old, 7000);
                Socket request = client.connect(old, 80)) {
            assertThat(get(stays, "203.0.113.2")).contains("200 OK");
            assertThat(get(raw, "203.0.113.2")).contains("200 OK");
            assertThat(get(request, "old.test")).contains("200 OK");

            door.policy(policy(STAYS + NEW));

            assertThat(Client.rest(raw)).isEqualTo("[reset]");
            assertThat(Client.rest(request)).isEqualTo("[reset]");
            assertThat(get(stays, "203.0.113.2")).contains("200 OK");
        }
        assertThat(inside.curl("http://new.test/").output()).endsWith("200");
        assertThat(inside.curl("http://old.test/").exit()).as("no name").isEqualTo(6);
        Optional<Socket> again = reached(old, 80);
        if (again.isPresent()) {
            assertThat(get(again.get(), "old.test"))
                    .as("its address of before")
                    .startsWith("HTTP/1.1 403");
        }
        assertThat(door.denialsSince(start))
                .anyMatch(d -> d.reason().equals("the policy has changed") && d.port() == 7000)
                .anyMatch(d -> d.reason().equals("the policy has changed") && d.port() == 80);
    }

    /// A rotated credential is used by the next request, on whatever connection it comes; one that
    /// cannot be read any more is not used at all.
    @Test
    void aRotatedCredential_isUsedByTheNextRequest_andOneThatIsGoneByNone() throws Exception {
        Path key = Files.writeString(directory.resolve("key"), "first-value");
        String rule =
                """
                  - {name: api, host: api.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                     credential: key, insecure-credential: true}
                credentials:
                  - {name: key, format: "Bearer {}", source: {file: KEY}}
                """
                        .replace("KEY", key.toString());
        door.policy(policy(rule));
        try (Socket client = this.client.connect(address("api.test"), 80)) {
            assertThat(get(client, "api.test")).contains("200 OK");
            assertThat(lastAuthorization()).isEqualTo("Bearer first-value");
            assertThat(get(client, "api.test")).contains("200 OK");
            assertThat(web.ports()).as("one connection while nothing changes").hasSize(1);

            Files.writeString(key, "second-value");
            assertThat(get(client, "api.test")).contains("200 OK");
            assertThat(lastAuthorization()).isEqualTo("Bearer second-value");
            assertThat(web.ports()).as("another connection for the new value").hasSize(2);

            Files.delete(key);
            assertThatThrownBy(() -> door.policy(policy(rule)))
                    .isInstanceOf(EgressException.class)
                    .hasMessageContaining("\"key\" cannot be had");
            assertThat(get(client, "api.test"))
                    .contains("502", "credential \"key\" cannot be had")
                    .doesNotContain("-value");
            assertThat(web.seen()).hasSize(3);
        }
        Files.writeString(key, "third-value");
        try (Socket next = client.connect(address("api.test"), 80)) {
            assertThat(get(next, "api.test")).contains("200 OK");
            assertThat(lastAuthorization()).isEqualTo("Bearer third-value");
        }
    }

    /// Who changed what a sandbox may reach, and to what, is in the audit log, before anything that
    /// the new policy allows (J5).
    @Test
    void everyChange_leavesARecordBeforeWhatItAllows() throws Exception {
        Path trail = directory.resolve("audit");
        EgressPolicy next = policy(NEW);
        try (AuditLog log = AuditLog.open(AuditConfig.at(trail));
                Doors recorded =
                        Doors.open(EgressConfig.at(directory.resolve("recorded")).withAudit(log))) {
            Door one = recorded.open("one", EgressPolicy.DENY_ALL);
            one.session("sesn_7");
            one.policy(next, "operator root");
            assertThat(new Inside(one, directory).curl("http://new.test/a").output())
                    .endsWith("200");
            assertThatThrownBy(() ->
                            one.policy(
                                    EgressPolicy.parse(
                                            """
                                            rules: [{name: r, host: a.test, protocol: https, credential: c, action: allow}]
                                            credentials: [{name: c, source: {file: /nowhere/key}}]
                                            """),
                                    "operator root"))
                    .isInstanceOf(EgressException.class);
        }
        List<JsonNode> records = new ArrayList<>();
        new AuditTrail(trail).query(_ -> true, records::add);
        List<String> events = records.stream().map(r -> r.path("event").asString("")).toList();
        assertThat(events).startsWith("anchor", "policy", "connection", "request");
        assertThat(events.stream().filter("policy"::equals))
                .as("what was refused is none")
                .hasSize(1);
        JsonNode change = records.get(1);
        assertThat(change.path("by").asString()).isEqualTo("operator root");
        assertThat(change.path("door").asString()).isEqualTo("one");
        assertThat(change.path("session").asString()).isEqualTo("sesn_7");
        assertThat(change.path("policy").asString()).isEqualTo(PolicyTree.digest(next));
        assertThat(change.path("rules").asInt()).isEqualTo(1);
        assertThat(change.path("learns").asBoolean(true)).isFalse();
    }

    /// A connection judged by the old policy while the new one comes must not slip through.
    @Test
    void connectionsThatComeWithTheChange_areJudgedByTheNewPolicy() throws Exception {
        List<Socket> sockets = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<Socket>>> clients = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                clients.add(threads.submit(() -> connectOften(30)));
            }
            while (clients.stream().anyMatch(each -> !each.isDone())) {
                door.policy(policy(STAYS));
                door.policy(EgressPolicy.DENY_ALL);
            }
            for (Future<List<Socket>> each : clients) {
                sockets.addAll(each.get());
            }
        }
        door.policy(EgressPolicy.DENY_ALL);

        for (Socket socket : sockets) {
            assertThat(Client.rest(socket)).isIn("[reset]", "");
            socket.close();
        }
        door.policy(policy(STAYS));
        try (Socket allowed = client.connect("203.0.113.1", 7000)) {
            assertThat(get(allowed, "203.0.113.2")).contains("200 OK");
        }
    }

    @Test
    void aConnectionJudgedByThePolicyOfBefore_isNotAdmitted() throws Exception {
        door.policy(policy(STAYS));
        Terms before = door.terms();
        EgressRule rule = before.policy().rules().getFirst();
        Destination destination =
                new Destination(new HostAddress(InetAddress.ofLiteral("203.0.113.1")), 7000);
        Flow early =
                new Flow(door, new EmbeddedChannel(), destination, rule, Optional.empty(), before);
        Flow late =
                new Flow(door, new EmbeddedChannel(), destination, rule, Optional.empty(), before);
        assertThat(door.admit(early, before)).isTrue();

        door.policy(EgressPolicy.DENY_ALL);

        assertThat(early.client().isOpen()).isFalse();
        assertThat(door.admit(late, before)).isFalse();
    }

    private List<Socket> connectOften(int times) {
        List<Socket> sockets = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            reached(InetAddress.ofLiteral("203.0.113.1"), 7000).ifPresent(sockets::add);
        }
        return sockets;
    }

    /// A connection that was not reset before it was seen to be there.
    private Optional<Socket> reached(InetAddress address, int port) {
        try {
            return Optional.of(client.connect(address, port));
        } catch (IllegalStateException e) {
            assertThat(e).hasCauseInstanceOf(SocketException.class);
            return Optional.empty();
        }
    }

    private InetAddress address(String name) {
        return door.names().addressesOf(HostName.tryParse(name).orElseThrow()).orElseThrow().four();
    }

    private EgressPolicy policy(String rules) {
        return EgressPolicy.parse("rules:\n" + rules.replace("WEB", "" + web.port()));
    }

    private String lastAuthorization() {
        return web.seen().getLast().headers().getFirst("Authorization");
    }

    /// One request on a connection that stays open, and the head and body of its answer.
    private static String get(Socket socket, String host) throws IOException {
        socket.getOutputStream()
                .write(
                        ("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                                .getBytes(StandardCharsets.ISO_8859_1));
        byte[] buffer = new byte[8192];
        int count = socket.getInputStream().read(buffer);
        return new String(buffer, 0, Math.max(0, count), StandardCharsets.ISO_8859_1);
    }
}
