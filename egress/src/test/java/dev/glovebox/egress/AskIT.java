package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.ask.Question;
import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.egress.audit.AuditTrail;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Destinations that a rule leaves to the operator.
class AskIT {
    private static final String ASKS =
            """
            rules:
              - {name: web, host: web.test, protocol: http, action: ask, connect: "127.0.0.1:WEB"}
              - {name: raw, host: raw.test, ports: ["7000-7100"], protocol: tcp, action: ask, connect: "127.0.0.1:WEB"}
              - {name: open, host: open.test, protocol: http, action: allow, connect: "127.0.0.1:WEB"}
            """;
    private static final Duration HOUR = Duration.ofHours(1);

    @TempDir Path directory;
    private FakeWeb web;
    private AuditLog log;
    private Doors doors;
    private Door door;
    private Client client;
    private Inside inside;

    @BeforeEach
    void open() throws Exception {
        web = new FakeWeb();
        log = AuditLog.open(AuditConfig.at(directory.resolve("audit")));
        DoorLimits limits =
                new DoorLimits(
                        256,
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10),
                        Duration.ofMinutes(1),
                        32 * 1024,
                        1024,
                        256,
                        Duration.ofSeconds(3));
        doors =
                Doors.open(
                        EgressConfig.at(directory.resolve("doors"))
                                .withLimits(limits)
                                .withAudit(log));
        door = doors.open("one", policy(ASKS));
        client = new Client(door);
        inside = new Inside(door, directory);
    }

    @AfterEach
    void close() throws Exception {
        doors.close();
        log.close();
        web.close();
    }

    private EgressPolicy policy(String text) {
        return EgressPolicy.parse(text.replace("WEB", "" + web.port()));
    }

    private static Destination at(String host, int port) {
        return new Destination(HostName.parse(host), port);
    }

    private static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited too long").isLessThan(end);
            LockSupport.parkNanos(5_000_000);
        }
    }

    private Process curl(String url) throws Exception {
        return inside.start("curl", "-sS", "-m", "20", "-w", "\n%{http_code}", url);
    }

    private static String output(Process process) throws Exception {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void connectionWaitsForTheOperator_andGoesOnWhenAllowed() throws Exception {
        Process waiting = curl("http://web.test/a");
        until(() -> !door.questions().isEmpty());
        Question question = door.questions().getFirst();
        assertThat(question.destination()).isEqualTo(at("web.test", 80));
        assertThat(question.rule()).isEqualTo("web");
        assertThat(question.waiting()).isEqualTo(1);
        assertThat(web.seen()).as("nothing has passed").isEmpty();

        assertThat(door.answer(at("web.test", 80), true, HOUR, "test")).isTrue();

        assertThat(output(waiting)).isEqualTo("GET /a web.test\n200");
        assertThat(door.questions()).isEmpty();
        assertThat(inside.curl("http://web.test/b").output()).as("not asked again").endsWith("200");
        assertThat(inside.curl("http://open.test/").output()).endsWith("200");
    }

    @Test
    void refusal_isToldAtOnceAndNotAskedForAgain() throws Exception {
        Process waiting = curl("http://web.test/a");
        until(() -> !door.questions().isEmpty());
        assertThat(door.answer(at("web.test", 80), false, HOUR, "test")).isTrue();

        assertThat(output(waiting)).contains("the operator has refused it", "rule \"web\"", "403");
        assertThat(inside.curl("http://web.test/a").output()).contains("has refused it");
        assertThat(door.questions()).isEmpty();
        assertThat(web.seen()).isEmpty();

        assertThat(door.answer(at("web.test", 80), true, HOUR, "test")).as("another mind").isTrue();
        assertThat(inside.curl("http://web.test/a").output()).endsWith("200");
    }

    @Test
    void withoutAnAnswer_theConnectionIsRefusedAndTheQuestionStays() throws Exception {
        Instant start = Instant.now();
        assertThat(inside.curl("http://web.test/a").output())
                .contains("`glovebox policy allow one web.test:80`", "403");
        try (Socket socket = client.connect(addressOf("raw.test"), 7001)) {
            assertThat(Client.rest(socket)).isEqualTo("[reset]");
        }
        assertThat(door.questions())
                .extracting(Question::destination)
                .containsExactly(at("web.test", 80), at("raw.test", 7001));
        until(() -> door.questions().stream().allMatch(each -> each.waiting() == 0));
        assertThat(door.denialsSince(start)).extracting(Denial::port).contains(80, 7001);
        assertThat(web.seen()).isEmpty();

        door.answer(at("raw.test", 7001), true, HOUR, "test");
        assertThat(say(7001)).contains("200 OK");
        assertThat(say(7002)).as("another port is another question").isEqualTo("[reset]");
    }

    @Test
    void anAnswerEndsWithItsTime_andCutsWhatItAllowed() throws Exception {
        inside.curl("http://web.test/a");
        door.answer(at("web.test", 80), true, Duration.ofSeconds(2), "test");
        try (Socket socket = client.connect(addressOf("web.test"), 80)) {
            socket.getOutputStream()
                    .write(
                            "GET / HTTP/1.1\r\nHost: web.test\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            assertThat(Client.rest(socket)).contains("200 OK").endsWith("[reset]");
        }
        Process again = curl("http://web.test/b");
        until(() -> !door.questions().isEmpty());
        door.answer(at("web.test", 80), false, HOUR, "test");
        assertThat(output(again)).endsWith("403");
    }

    /// F16, D35: an approval is for what was asked, under the rule that asks.
    @Test
    void anApprovalOutlivesAnotherPolicy_onlyWhereThatStillAsks() throws Exception {
        inside.curl("http://web.test/a");
        assertThat(door.answer(at("evil.test", 80), true, HOUR, "test"))
                .as("never asked")
                .isFalse();
        door.answer(at("web.test", 80), true, HOUR, "test");
        assertThat(inside.curl("http://web.test/a").output()).endsWith("200");
        assertThat(inside.curl("http://evil.test/").exit()).as("no name").isEqualTo(6);

        door.policy(policy(ASKS.replace("name: web,", "name: site,")));
        assertThat(inside.curl("http://web.test/a").output()).endsWith("200");

        door.policy(
                policy(
                        ASKS.replace(
                                "rules:\n",
                                "rules:\n  - {name: no, host: web.test, port: 80, action: deny}\n")));
        assertThat(inside.curl("http://web.test/a").output()).doesNotContain("200");

        door.policy(policy(ASKS));
        assertThat(inside.curl("http://web.test/a").output()).endsWith("200");
        assertThatThrownBy(() -> door.answer(at("web.test", 80), true, Duration.ZERO, "test"))
                .isInstanceOf(EgressException.class);
    }

    @Test
    void questionsAreBounded_andWaitingIsToldWhenTheClientGoes() throws Exception {
        List<Socket> sockets = new ArrayList<>();
        for (int port = 7000; port < 7066; port++) {
            sockets.add(client.connect(addressOf("raw.test"), port));
        }
        until(() -> door.questions().size() == 64);
        assertThat(Client.rest(sockets.getLast())).isEqualTo("[reset]");
        for (Socket socket : sockets) {
            socket.close();
        }
        until(() -> door.questions().stream().allMatch(each -> each.waiting() == 0));
    }

    @Test
    void theQuestionAndTheAnswerAreOnRecord() throws Exception {
        inside.curl("http://web.test/a");
        door.answer(at("web.test", 80), true, HOUR, "somebody");
        inside.curl("http://web.test/a");
        List<String> records = new ArrayList<>();
        until(() -> {
            records.clear();
            try {
                new AuditTrail(directory.resolve("audit"))
                        .query(_ -> true, record -> records.add(record.toString()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return records.stream().anyMatch(each -> each.contains("web.approved-1"));
        });
        assertThat(records)
                .anyMatch(each -> each.contains("\"verdict\":\"ask\"") && each.contains("web.test"))
                .anyMatch(
                        each -> each.contains("\"event\":\"answer\"") && each.contains("somebody"));
    }

    private String say(int port) throws Exception {
        try (Socket socket = client.connect(addressOf("raw.test"), port)) {
            socket.getOutputStream()
                    .write(
                            "GET / HTTP/1.1\r\nHost: raw\r\nConnection: close\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            return Client.rest(socket);
        }
    }

    private InetAddress addressOf(String name) {
        return door.names().addressesOf(HostName.parse(name)).orElseThrow().four();
    }
}
