package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.FakeNameServer.Reply;
import dev.glovebox.egress.audit.AuditEvent;
import dev.glovebox.egress.lookup.LookupConfig;
import dev.glovebox.egress.lookup.LookupLimits;
import dev.glovebox.egress.onward.OnwardConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Attacks by whoever answers for an allowed name, tried with answers that no ordinary server
/// gives. Where the worker dialled to is seen from outside.
class RebindingAttackIT {
    private static final String POLICY =
            """
            rules:
              - {name: web, host: good.test, protocol: http, action: allow}
              - {name: wild, host: "*.wild.test", protocol: http, action: allow}
              - {name: raw, host: "*.wild.test", port: 81, protocol: tcp, action: allow}
              - {name: block, cidr: 192.0.2.0/24, port: 80, protocol: http, action: allow}
              - {name: here, host: 192.0.2.2, port: 8080, protocol: http, action: allow}
            """;
    private static final int CHOICES = 24;
    private static final LookupLimits LIMITS =
            new LookupLimits(
                    4,
                    256,
                    CHOICES,
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(1),
                    64,
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(5));

    @RegisterExtension final Internet internet = new Internet();

    @TempDir Path directory;
    private final List<AuditEvent> records = new CopyOnWriteArrayList<>();
    private FakeNameServer names;
    private Doors doors;
    private Door door;
    private Inside inside;

    @BeforeEach
    void open() throws Exception {
        internet.web(Internet.GOOD);
        internet.closedLater(
                internet.out().enter(() -> new FakeWeb(InetAddress.ofLiteral(Internet.GOOD), 81)));
        names = internet.nameServer();
        names.addresses("good.test", 0, Internet.GOOD);
        InetSocketAddress server = new InetSocketAddress(InetAddress.ofLiteral(Internet.NAMES), 53);
        doors =
                internet.doors(
                        EgressConfig.at(directory.resolve("doors"))
                                .withOnward(
                                        OnwardConfig.DEFAULT.withLookups(
                                                LookupConfig.DEFAULT
                                                        .withNameServers(List.of(server))
                                                        .withFiles(
                                                                directory.resolve("none"),
                                                                directory.resolve("none"))
                                                        .withLimits(LIMITS)))
                                .withAudit(event -> {
                                    records.add(event);
                                    return CompletableFuture.completedFuture(1L);
                                }));
        door = internet.door(doors, "one", EgressPolicy.parse(POLICY));
        inside = new Inside(door, directory);
    }

    private String get(String name) throws Exception {
        return inside.curl("http://" + name + "/x").output();
    }

    private void allowedWayLeadsOut() throws Exception {
        assertThat(get("good.test")).isEqualTo("GET /x good.test\n200");
    }

    private void onlyGoodWasDialled() {
        assertThat(internet.dialled())
                .isNotEmpty()
                .isSubsetOf(Internet.GOOD + " 80", Internet.GOOD + " 81", Internet.NAMES + " 53");
    }

    private void says(String name, Function<Reply, Reply> answer) {
        names.say(name, question -> Optional.of(answer.apply(Reply.to(question)).bytes()));
    }

    @Test
    void nameThatTurnsPrivateWithTtlZero_isLookedUpForEachConnectionAndJudgedEachTime()
            throws Exception {
        names.addresses("a.wild.test", 0, Internet.GOOD);
        assertThat(get("a.wild.test:81")).endsWith("200");
        int looked = 1;
        for (String trap :
                List.of(
                        Internet.INTRANET,
                        Internet.METADATA,
                        Internet.METADATA_6,
                        "127.0.0.1",
                        "::1",
                        "::ffff:10.0.0.5",
                        "64:ff9b::a00:5",
                        Internet.HOST,
                        Internet.HOST_6)) {
            names.addresses("a.wild.test", 0, trap);
            assertThat(inside.curl("http://a.wild.test:81/").exit()).as(trap).isNotZero();
            looked++;
        }
        names.addresses("a.wild.test", 0, Internet.GOOD);
        assertThat(get("a.wild.test:81")).endsWith("200");
        assertThat(reasons("a.wild.test"))
                .filteredOn(reason -> reason.contains("none of its addresses"))
                .hasSize(looked - 1);
        onlyGoodWasDialled();
    }

    @Test
    void answerThatChangesFromQuestionToQuestion_findsNoSecondQuestionToAnswer() throws Exception {
        names.say(
                "a.wild.test",
                question -> {
                    boolean first = names.asked("a.wild.test") == 1;
                    return Optional.of(
                            Reply.to(question)
                                    .addresses(0, first ? Internet.GOOD : Internet.INTRANET)
                                    .bytes());
                });
        assertThat(get("a.wild.test:81")).endsWith("200");
        assertThat(names.asked("a.wild.test")).isEqualTo(1);
        assertThat(inside.curl("http://a.wild.test:81/").exit()).isNotZero();
        onlyGoodWasDialled();
    }

    @Test
    void answersThatMixTrapsWithTheRealAddress_leadToTheRealOne() throws Exception {
        List<String> fifty = new ArrayList<>();
        for (int i = 0; i < 49; i++) {
            fifty.add(i < 8 ? "10.0.0." + i : "192.168.0." + i);
        }
        fifty.add(3, Internet.GOOD);
        says("mixed.wild.test", r -> r.addresses(0, Internet.INTRANET, Internet.GOOD));
        says("six.wild.test", r -> r.addresses(0, Internet.GOOD, Internet.METADATA_6, "fd00::5"));
        names.say(
                "many.wild.test",
                question -> {
                    Reply reply = Reply.to(question);
                    return Optional.of(
                            (question.overTcp()
                                            ? reply.addresses(0, fifty.toArray(String[]::new))
                                            : reply.truncated())
                                    .bytes());
                });
        for (String name : List.of("mixed.wild.test", "six.wild.test", "many.wild.test")) {
            assertThat(get(name)).as(name).endsWith("200");
        }
        onlyGoodWasDialled();
        assertThat(internet.web(Internet.INTRANET).seen()).isEmpty();
    }

    @Test
    void aliasOfTheMetadataService_isNoWayToIt() throws Exception {
        says(
                "a.wild.test",
                r ->
                        r.cname("a.wild.test", "b.evil.test")
                                .cname("b.evil.test", "good.test")
                                .addressesOf("good.test", 0, Internet.GOOD));
        assertThat(get("a.wild.test")).endsWith("200");
        says(
                "b.wild.test",
                r ->
                        r.cname("b.wild.test", "metadata.google.internal")
                                .addressesOf("metadata.google.internal", 0, Internet.METADATA));
        assertThat(get("b.wild.test")).endsWith("502").contains("no public address");
        assertThat(names.asked()).noneMatch(line -> line.contains("metadata"));
        onlyGoodWasDialled();
    }

    @Test
    void serverThatLiesBreaksOffOrSaysNothing_isAClearRefusalAndNoHindrance() throws Exception {
        names.say("silent.wild.test", _ -> Optional.empty());
        says("weak.wild.test", r -> r.code(2));
        says("other.wild.test", r -> r.about("evil.test").addresses(0, Internet.GOOD));
        names.say("garbage.wild.test", _ -> Optional.of(new byte[] {1, 2, 3, 4, 5, 6, 7}));
        Door neighbour = internet.door(doors, "two", EgressPolicy.parse(POLICY));
        Inside there = new Inside(neighbour, Files.createDirectory(directory.resolve("there")));
        List<Process> waiting = new ArrayList<>();
        for (int i = 0; i < LIMITS.ofDoor(); i++) {
            Path own = Files.createDirectory(directory.resolve("inside" + i));
            waiting.add(
                    new Inside(door, own)
                            .start("curl", "-sS", "-m", "20", "http://silent.wild.test/"));
        }
        while (names.asked("silent.wild.test") == 0) {
            Thread.onSpinWait();
        }
        assertThat(there.curl("http://good.test/").output()).endsWith("200");
        for (Process each : waiting) {
            assertThat(new String(each.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .contains("could not be looked up")
                    .doesNotContain(Internet.NAMES);
            assertThat(each.waitFor(20, TimeUnit.SECONDS)).isTrue();
        }
        for (String name : List.of("weak.wild.test", "other.wild.test", "garbage.wild.test")) {
            assertThat(get(name))
                    .as(name)
                    .endsWith("502")
                    .contains("could not be looked up")
                    .doesNotContain("203.0.113");
        }
        assertThat(reasons("weak.wild.test")).anyMatch(reason -> reason.contains("ServFail"));
        allowedWayLeadsOut();
        onlyGoodWasDialled();
    }

    private List<String> reasons(String host) {
        return records.stream()
                .filter(AuditEvent.Connection.class::isInstance)
                .map(AuditEvent.Connection.class::cast)
                .filter(each -> each.to().host().equals(host))
                .map(each -> each.ruling().reason())
                .toList();
    }

    @Test
    void scanForInternalNames_cannotTellThoseThatExist() throws Exception {
        allowedWayLeadsOut();
        Set<String> answers = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            String name = "n" + i + ".wild.test";
            if (i % 2 == 0) {
                names.addresses(name, 60, "10.0.0." + i);
            }
            answers.add(get(name).replace(name, "NAME"));
        }
        assertThat(answers).hasSize(1);
        assertThat(reasons("n0.wild.test")).anyMatch(each -> each.contains("may be dialled"));
        assertThat(reasons("n1.wild.test")).anyMatch(each -> each.contains("has no address"));
    }

    @Test
    void namesMadeOfData_arriveAtNobodyBeyondTheLimit() throws Exception {
        names.addresses("n0.wild.test", 0, Internet.GOOD);
        for (int i = 0; i < CHOICES + 20; i++) {
            get("n" + i + ".wild.test");
        }
        assertThat(names.asked().stream().filter(line -> line.endsWith(".wild.test. A")).distinct())
                .hasSize(CHOICES);
        assertThat(get("data.wild.test")).endsWith("502").contains("names were tried");
        assertThat(reasons("data.wild.test")).anyMatch(each -> each.contains("names were tried"));
        assertThat(get("n0.wild.test")).as("a name it has tried before").endsWith("200");
        allowedWayLeadsOut();
        Door neighbour = internet.door(doors, "two", EgressPolicy.parse(POLICY));
        names.addresses("data.wild.test", 0, Internet.GOOD);
        assertThat(new Inside(neighbour, directory).curl("http://data.wild.test/").output())
                .endsWith("200");
    }

    @Test
    void nameThatNoRuleAllows_isNeverAskedFor() throws Exception {
        allowedWayLeadsOut();
        for (String name :
                List.of("evil.test", "x.y.wild.test", "wild.test", "good.test.corp.test")) {
            assertThat(inside.curl("http://" + name + "/").exit()).isNotZero();
        }
        assertThat(inside.run("getent", "ahosts", "b.wild.test").exit()).isZero();
        assertThat(inside.curl("-H", "Host: evil.test", "http://good.test/").output())
                .endsWith("403");
        assertThat(names.asked())
                .as("not even a name that is allowed and only asked about inside")
                .containsOnly("good.test. A", "good.test. AAAA");
    }

    @Test
    void ownAddressInAnAllowedBlock_isNotDialledUnlessItIsWrittenDown() throws Exception {
        internet.web("192.0.2.1");
        FakeWeb own = internet.webOfHost(Internet.HOST, 80);
        FakeWeb written = internet.webOfHost(Internet.HOST, 8080);
        assertThat(get("192.0.2.1")).endsWith("200");
        assertThat(get("192.0.2.2")).endsWith("502").doesNotContain("lookup");
        assertThat(own.seen()).isEmpty();
        assertThat(inside.curl("http://192.0.2.2:8080/").output()).endsWith("200");
        assertThat(written.seen()).hasSize(1);
    }

    @Test
    void addressThatSwallowsEverything_costsAMomentAndNotTheConnection() throws Exception {
        says("a.wild.test", r -> r.addresses(0, "203.0.113.99", Internet.GOOD));
        long start = System.nanoTime();
        assertThat(get("a.wild.test")).endsWith("200");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(internet.dialled())
                .containsExactlyInAnyOrder("203.0.113.99 80", Internet.GOOD + " 80");
    }

    @Test
    void namesOfTheHostsOwnFile_areJudgedLikeAnyOther() throws Exception {
        Files.writeString(
                directory.resolve("none"),
                Internet.GOOD + " a.wild.test\n" + Internet.INTRANET + " b.wild.test\n");
        assertThat(get("a.wild.test")).endsWith("200");
        assertThat(get("b.wild.test")).endsWith("502").contains("no public address");
        assertThat(names.asked()).isEmpty();
        onlyGoodWasDialled();
    }
}
