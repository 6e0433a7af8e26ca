package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditEvent;
import dev.glovebox.egress.audit.AuditException;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.egress.audit.AuditTrail;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What the audit log says of what sandboxes did, and what happens when it cannot say it.
class DoorAuditIT {
    private static final String POLICY =
            """
            rules:
              - {name: raw, host: raw.test, port: 7000, protocol: tcp, action: allow, connect: "127.0.0.1:WEB"}
              - {name: trial, host: trial.test, port: 7000, protocol: tcp, action: audit, connect: "127.0.0.1:WEB"}
              - {name: web, host: web.test, protocol: http, action: allow, connect: "127.0.0.1:WEB"}
              - {name: api, host: api.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                 credential: key, insecure-credential: true}
              - {name: never, host: never.test, protocol: http, action: deny}
            credentials:
              - {name: key, format: "Bearer {}", source: {file: KEY}}
            """;
    private static final String SECRET = "sup3r-s3cret-value";

    @TempDir Path directory;
    private FakeWeb web;
    private AuditLog log;
    private final List<AutoCloseable> closing = new ArrayList<>();

    @BeforeEach
    void open() throws Exception {
        web = new FakeWeb();
        closing.add(web);
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : closing.reversed()) {
            each.close();
        }
    }

    private Door door(AuditConfig config) throws IOException {
        Path key = Files.writeString(directory.resolve("key"), SECRET);
        log = AuditLog.open(config);
        closing.add(log);
        Doors doors = Doors.open(EgressConfig.at(directory.resolve("doors")).withAudit(log));
        closing.add(doors);
        return doors.open(
                "one",
                EgressPolicy.parse(
                        POLICY.replace("WEB", "" + web.port()).replace("KEY", key.toString())));
    }

    private static void until(BooleanSupplier condition) {
        Instant end = Instant.now().plus(Duration.ofSeconds(60));
        while (!condition.getAsBoolean()) {
            assertThat(Instant.now()).isBefore(end);
            Thread.onSpinWait();
        }
    }

    private List<JsonNode> records(Path from, String event) {
        List<JsonNode> records = new ArrayList<>();
        try {
            new AuditTrail(from)
                    .query(record -> record.path("event").asString("").equals(event), records::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return records;
    }

    @Test
    void everyConnection_hasARecordBeforeAndOneAfter() throws Exception {
        Path trail = directory.resolve("audit");
        Door door = door(AuditConfig.at(trail));
        Inside inside = new Inside(door, directory);
        door.session("sesn_7");
        door.call(Optional.of("toolu_9"));

        assertThat(inside.curl("http://raw.test:7000/a?token=1").output()).endsWith("200");
        door.call(Optional.empty());
        assertThat(inside.curl("http://trial.test:7000/").output()).endsWith("200");
        assertThat(inside.curl("http://unknown.test/").exit()).isEqualTo(6);
        inside.curl("http://never.test/");
        inside.curl("http://203.0.113.9/");

        until(() -> records(trail, "end").size() >= 2);
        JsonNode first = records(trail, "connection").getFirst();
        assertThat(first.path("door").asString()).isEqualTo("one");
        assertThat(first.path("session").asString()).isEqualTo("sesn_7");
        assertThat(first.path("call").asString()).isEqualTo("toolu_9");
        assertThat(first.path("host").asString()).isEqualTo("raw.test");
        assertThat(first.path("port").asInt()).isEqualTo(7000);
        assertThat(first.path("dialled").asString()).matches("(198\\.18\\.|\\[fd67:).*7000");
        assertThat(first.path("verdict").asString()).isEqualTo("allow");
        assertThat(first.path("rule").asString()).isEqualTo("raw");
        JsonNode end = records(trail, "end").getFirst();
        assertThat(end.path("of").asLong()).isEqualTo(first.path("number").asLong());
        assertThat(end.path("bytes_out").asLong()).isGreaterThan(50);
        assertThat(end.path("bytes_in").asLong()).isGreaterThan(50);
        assertThat(end.path("millis").asLong()).isNotNegative();
        assertThat(records(trail, "connection"))
                .anySatisfy(record -> {
                    assertThat(record.path("verdict").asString()).isEqualTo("audit");
                    assertThat(record.path("call").isMissingNode()).isTrue();
                })
                .anySatisfy(record -> {
                    assertThat(record.path("verdict").asString()).isEqualTo("deny");
                    assertThat(record.path("host").asString()).isEqualTo("unknown.test");
                    assertThat(record.path("port").asInt()).isEqualTo(53);
                })
                .anySatisfy(record -> {
                    assertThat(record.path("verdict").asString()).isEqualTo("deny");
                    assertThat(record.path("host").asString()).isEqualTo("203.0.113.9");
                });
        assertThat(new AuditTrail(trail).verify(Optional.empty()))
                .isInstanceOf(AuditTrail.Verdict.Whole.class);
    }

    @Test
    void aSandboxThatIsRefusedAThousandTimes_doesNotFillTheLog() throws Exception {
        Path trail = directory.resolve("audit");
        Door door = door(AuditConfig.at(trail));
        for (int i = 0; i < 1000; i++) {
            door.deny("host" + i + ".test", 443, "no rule");
        }
        until(() -> {
            door.deny("later.test", 443, "no rule");
            return !records(trail, "missed").isEmpty();
        });
        assertThat(records(trail, "connection").size()).isLessThan(900);
        long missed =
                records(trail, "missed").stream().mapToLong(r -> r.path("count").asLong()).sum();
        assertThat(missed).isGreaterThan(100);
    }

    /// A real file system of 256 KiB that somebody else fills.
    @Test
    void aFullDisk_stopsEverythingByDefault_andCredentialsAlways() throws Exception {
        for (boolean pass : new boolean[] {false, true}) {
            Path mount = Files.createDirectory(directory.resolve("small-" + pass));
            run("mount", "-t", "tmpfs", "-o", "size=256k", "small", mount.toString());
            closing.add(() -> run("umount", "-l", mount.toString()));
            Path trail = mount.resolve("audit");
            Door door = door(new AuditConfig(trail, 64 << 10, 200 << 10, Duration.ofDays(1), pass));
            Inside inside = new Inside(door, directory);
            assertThat(inside.curl("http://web.test/").output()).endsWith("200");
            assertThat(inside.curl("http://api.test/").output()).endsWith("200");
            Path ballast = mount.resolve("ballast");
            fill(ballast);
            inside.curl("http://unknown.test/");
            fillLastPage();
            web.seen().clear();

            inside.curl("http://api.test/");
            Inside.Result plain = inside.curl("http://web.test/");

            assertThat(plain.output().endsWith("200")).isEqualTo(pass);
            assertThat(web.seen())
                    .as("requests that came out")
                    .noneMatch(seen -> seen.headers().containsKey("Authorization"))
                    .hasSize(pass ? 1 : 0);
            assertThat(door.denialsSince(Instant.EPOCH))
                    .anyMatch(denial -> denial.reason().contains("no audit record"));

            Files.delete(ballast);
            assertThat(inside.curl("http://api.test/").output()).endsWith("200");
            assertThat(records(trail, "missed")).isNotEmpty();
            assertThat(new AuditTrail(trail).verify(Optional.empty()))
                    .isInstanceOf(AuditTrail.Verdict.Whole.class);
            close();
            closing.clear();
            open();
        }
    }

    @Test
    void noRecord_holdsASecret() throws Exception {
        Path trail = directory.resolve("audit");
        Inside inside = new Inside(door(AuditConfig.at(trail)), directory);
        assertThat(inside.curl("http://api.test/a?token=query-s3cret").output()).endsWith("200");
        assertThat(web.seen().getLast().headers().getFirst("Authorization")).contains(SECRET);
        until(() -> !records(trail, "end").isEmpty());
        JsonNode request = records(trail, "request").getFirst();
        assertThat(request.path("method").asString()).isEqualTo("GET");
        assertThat(request.path("path").asString()).isEqualTo("/a");
        assertThat(request.path("credential").asString()).isEqualTo("key");
        try (var files = Files.list(trail)) {
            for (Path file : files.toList()) {
                assertThat(Files.readString(file)).doesNotContain(SECRET, "query-s3cret");
            }
        }
        assertThat(records(trail, "connection").getFirst().path("credential").asString())
                .isEqualTo("key");
    }

    /// Records shorter than that of any connection, until there is no room for one.
    private void fillLastPage() throws InterruptedException {
        try {
            while (true) {
                log.record(new AuditEvent.Missed(0, "")).get();
            }
        } catch (ExecutionException e) {
            assertThat(e).hasCauseInstanceOf(AuditException.class);
        }
    }

    private static void fill(Path file) throws IOException {
        try (var out = Files.newOutputStream(file)) {
            while (true) {
                out.write(new byte[1024]);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space");
        }
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).inheritIO().start();
        assertThat(process.waitFor()).isZero();
    }
}
