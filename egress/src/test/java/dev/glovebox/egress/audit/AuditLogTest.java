package dev.glovebox.egress.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class AuditLogTest {
    @TempDir Path directory;

    static AuditEvent event(String host) {
        return new AuditEvent.Connection(
                new AuditEvent.Subject("one", Optional.of("sesn_1"), Optional.of("call_1")),
                new AuditEvent.Target("198.18.1.0:443", host, 443),
                "tls",
                new AuditEvent.Ruling("allow", "web", Optional.of("key"), "rule \"web\""));
    }

    private AuditConfig small() {
        return new AuditConfig(directory, 4096, 16 * 1024, Duration.ofDays(30), false);
    }

    private static long write(AuditLog log, String host) throws Exception {
        return log.record(event(host)).get(30, TimeUnit.SECONDS);
    }

    private AuditTrail.Verdict verify() throws IOException {
        return new AuditTrail(directory).verify(Optional.empty());
    }

    private List<Path> files() throws IOException {
        return new Segments(directory).list();
    }

    private List<JsonNode> records() throws IOException {
        List<JsonNode> records = new ArrayList<>();
        new AuditTrail(directory).query(_ -> true, records::add);
        return records;
    }

    @Test
    void recordsAreOnDiskInOrder_forTheOwnerOnly() throws Exception {
        try (AuditLog log = AuditLog.open(AuditConfig.at(directory))) {
            assertThat(write(log, "a.test")).isEqualTo(1);
            assertThat(write(log, "b.test")).isEqualTo(2);
            assertThat(records())
                    .extracting(r -> r.path("host").asString(""))
                    .containsExactly("", "a.test", "b.test");
            assertThatThrownBy(() -> AuditLog.open(AuditConfig.at(directory)))
                    .hasMessageContaining("in use");
        }
        Path file = files().getFirst();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
                .isEqualTo("rwx------");
        JsonNode record = records().get(1);
        assertThat(record.path("credential").asString()).isEqualTo("key");
        assertThat(record.path("call").asString()).isEqualTo("call_1");
    }

    @Test
    void theChainGoesOnAfterARestart_andAHeadIsFoundAgain() throws Exception {
        try (AuditLog log = AuditLog.open(AuditConfig.at(directory))) {
            write(log, "a.test");
        }
        AuditTrail.Verdict.Whole before = (AuditTrail.Verdict.Whole) verify();
        try (AuditLog log = AuditLog.open(AuditConfig.at(directory))) {
            assertThat(write(log, "b.test")).isEqualTo(2);
        }
        assertThat(new AuditTrail(directory).verify(Optional.of(before.head())))
                .isInstanceOfSatisfying(
                        AuditTrail.Verdict.Whole.class,
                        whole -> {
                            assertThat(whole.contains()).isTrue();
                            assertThat(whole.records()).isEqualTo(3);
                        });
        assertThat(new AuditTrail(directory).verify(Optional.of("1:" + "0".repeat(64))))
                .isInstanceOfSatisfying(
                        AuditTrail.Verdict.Whole.class,
                        whole -> assertThat(whole.contains()).isFalse());
    }

    /// Every byte of every record, flipped one at a time.
    @Test
    void aFlippedByte_isFoundAtItsRecord() throws Exception {
        try (AuditLog log = AuditLog.open(AuditConfig.at(directory))) {
            for (int i = 0; i < 4; i++) {
                write(log, "host" + i + ".test");
            }
        }
        assertThat(verify()).isInstanceOf(AuditTrail.Verdict.Whole.class);
        Path file = files().getFirst();
        byte[] good = Files.readAllBytes(file);
        long number = 0;
        for (int i = 0; i < good.length - 1; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 1;
            Files.write(file, bad);
            long expected = number;
            assertThat(verify())
                    .as("byte %s", i)
                    .isInstanceOfSatisfying(
                            AuditTrail.Verdict.Broken.class,
                            broken -> assertThat(broken.number()).isEqualTo(expected));
            if (good[i] == '\n') {
                number++;
            }
        }
    }

    @Test
    void aRecordTakenOutOrPutInTwice_isFound() throws Exception {
        try (AuditLog log = AuditLog.open(AuditConfig.at(directory))) {
            for (int i = 0; i < 4; i++) {
                write(log, "host" + i + ".test");
            }
        }
        Path file = files().getFirst();
        List<String> good = Files.readAllLines(file);
        List<String> without = new ArrayList<>(good);
        without.remove(2);
        Files.write(file, without);
        assertThat(verify())
                .isInstanceOfSatisfying(
                        AuditTrail.Verdict.Broken.class,
                        broken -> assertThat(broken.number()).isEqualTo(2));
        List<String> twice = new ArrayList<>(good);
        twice.add(2, good.get(1));
        Files.write(file, twice);
        assertThat(verify()).isInstanceOf(AuditTrail.Verdict.Broken.class);
    }

    @Test
    void aTornLastLine_isCutAndTold() throws Exception {
        try (AuditLog log = AuditLog.open(AuditConfig.at(directory))) {
            write(log, "a.test");
            write(log, "b.test");
        }
        Path file = files().getFirst();
        byte[] whole = Files.readAllBytes(file);
        for (int left : new int[] {1, 40, 200}) {
            Files.write(file, whole);
            Files.writeString(file, "x".repeat(left), StandardOpenOption.APPEND);
            try (AuditLog log = AuditLog.open(AuditConfig.at(directory))) {
                write(log, "c.test");
            }
            assertThat(verify()).isInstanceOf(AuditTrail.Verdict.Whole.class);
            assertThat(records())
                    .anySatisfy(record -> {
                        assertThat(record.path("event").asString()).isEqualTo("repair");
                        assertThat(record.path("bytes").asInt()).isEqualTo(left);
                    });
        }
        Files.writeString(file, "not a record\n", StandardOpenOption.APPEND);
        assertThatThrownBy(() -> AuditLog.open(AuditConfig.at(directory)))
                .isInstanceOf(AuditException.class)
                .hasMessageContaining("not as it was written");
    }

    @Test
    void oldFilesGo_andWhatIsLeftStillVerifies() throws Exception {
        try (AuditLog log = AuditLog.open(small())) {
            for (int i = 0; i < 150; i++) {
                write(log, "host" + i + ".test");
            }
        }
        long total = 0;
        for (Path file : files()) {
            total += Files.size(file);
        }
        assertThat(total).isLessThan(16 * 1024 + 2 * 4096);
        assertThat(Segments.first(files().getFirst())).isPositive();
        assertThat(verify()).isInstanceOf(AuditTrail.Verdict.Whole.class);

        Files.delete(files().getFirst());
        assertThat(verify())
                .as("a file that nobody said was removed")
                .isInstanceOf(AuditTrail.Verdict.Broken.class);
    }

    @Test
    void filesOlderThanTheirTime_go() throws Exception {
        AtomicReference<Instant> now = new AtomicReference<>(Instant.now());
        AuditConfig config = new AuditConfig(directory, 4096, 1 << 20, Duration.ofDays(30), false);
        try (AuditLog log = AuditLog.open(config, now::get)) {
            write(log, "a.test");
            now.set(now.get().plus(Duration.ofDays(2)));
            write(log, "b.test");
            assertThat(files()).hasSize(2);
            now.set(now.get().plus(Duration.ofDays(40)));
            write(log, "c.test");
            assertThat(files()).hasSize(1);
        }
        assertThat(verify()).isInstanceOf(AuditTrail.Verdict.Whole.class);
        assertThat(records()).noneMatch(r -> r.path("host").asString("").equals("a.test"));
    }

    @Test
    void aBurst_isWrittenTogetherAndInOrder() throws Exception {
        try (AuditLog log = AuditLog.open(AuditConfig.at(directory))) {
            List<CompletableFuture<Long>> written = new ArrayList<>();
            for (int i = 0; i < 5000; i++) {
                written.add(log.record(event("host" + i + ".test")));
            }
            for (int i = 0; i < written.size(); i++) {
                assertThat(written.get(i).get(60, TimeUnit.SECONDS)).isEqualTo(i + 1);
            }
        }
        assertThat(verify())
                .isInstanceOfSatisfying(
                        AuditTrail.Verdict.Whole.class,
                        whole -> assertThat(whole.records()).isEqualTo(5001));
    }

    @Test
    void aClosedLog_takesNothing() throws Exception {
        AuditLog log = AuditLog.open(AuditConfig.at(directory));
        log.close();
        assertThat(log.record(event("a.test"))).isCompletedExceptionally();
        log.close();
    }
}
