package dev.glovebox.egress.lookup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.FakeNameServer;
import dev.glovebox.egress.FakeNameServer.Question;
import dev.glovebox.egress.FakeNameServer.Reply;
import dev.glovebox.protocol.egress.HostName;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DnsResolverTest {
    private static final LookupLimits LIMITS =
            new LookupLimits(
                    16,
                    256,
                    256,
                    Duration.ofSeconds(20),
                    Duration.ofMillis(500),
                    2,
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(5));

    @TempDir Path directory;
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
    private final MultiThreadIoEventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private FakeNameServer first;
    private FakeNameServer second;
    private DnsResolver resolver;

    @BeforeEach
    void start() throws IOException {
        first = new FakeNameServer(InetAddress.ofLiteral("127.0.0.1"), 0);
        second = new FakeNameServer(InetAddress.ofLiteral("127.0.0.1"), 0);
        resolver = resolver(first.address(), second.address());
        second.addresses("good.test", 60, "203.0.113.20");
    }

    private DnsResolver resolver(InetSocketAddress... servers) {
        return new DnsResolver(
                LookupConfig.DEFAULT
                        .withNameServers(List.of(servers))
                        .withFiles(directory.resolve("resolv.conf"), directory.resolve("hosts"))
                        .withLimits(LIMITS),
                loops.next(),
                now::get);
    }

    @AfterEach
    void stop() throws IOException {
        resolver.close();
        first.close();
        second.close();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private List<String> resolve(String name) throws IOException {
        return resolver.resolve(HostName.parse(name)).stream()
                .map(InetAddress::getHostAddress)
                .toList();
    }

    private void pass(Duration time) {
        now.updateAndGet(instant -> instant.plus(time));
    }

    private void says(Function<Question, Reply> answer) {
        first.say("good.test", question -> Optional.of(answer.apply(question).bytes()));
    }

    @Test
    void bothFamilies_areAskedForTheAbsoluteNameAndMixed() throws IOException {
        Files.writeString(directory.resolve("resolv.conf"), "search corp.test\n");
        first.addresses("good.test", 60, "203.0.113.10", "2001:db8::10", "203.0.113.11");
        assertThat(resolve("good.test"))
                .containsExactly("203.0.113.10", "2001:db8:0:0:0:0:0:10", "203.0.113.11");
        assertThatThrownBy(() -> resolve("single")).isInstanceOf(UnknownHostException.class);
        assertThat(first.asked())
                .containsExactlyInAnyOrder(
                        "good.test. A", "good.test. AAAA", "single. A", "single. AAAA");
        assertThat(second.asked()).isEmpty();
    }

    @Test
    void addressesOfOtherNamesInTheAnswer_areNotTaken() throws IOException {
        says(question ->
                Reply.to(question)
                        .addressesOf("evil.test", 60, "203.0.113.66")
                        .addresses(60, "203.0.113.10")
                        .referral("good.test", "evil.test", "203.0.113.66"));
        assertThat(resolve("good.test")).containsExactly("203.0.113.10");
    }

    @Test
    void aliases_areFollowedWithinTheAnswerAndNotForEver() throws IOException {
        says(question ->
                Reply.to(question)
                        .addressesOf("B.test", 60, "203.0.113.10")
                        .cname("a.test", "b.test")
                        .cname("good.test", "A.TEST"));
        assertThat(resolve("good.test")).containsExactly("203.0.113.10");

        for (int length : new int[] {DnsAnswer.MAX_ALIASES, DnsAnswer.MAX_ALIASES + 1}) {
            String name = "chain" + length + ".test";
            first.say(name, question -> Optional.of(chain(question, name, length)));
            second.say(name, _ -> Optional.empty());
        }
        assertThat(resolve("chain8.test")).containsExactly("203.0.113.12");
        assertThatThrownBy(() -> resolve("chain9.test")).isInstanceOf(IOException.class);

        first.say(
                "loop.test",
                question ->
                        Optional.of(
                                Reply.to(question)
                                        .cname("loop.test", "pool.test")
                                        .cname("pool.test", "loop.test")
                                        .bytes()));
        second.say("loop.test", _ -> Optional.empty());
        assertThatThrownBy(() -> resolve("loop.test")).isInstanceOf(IOException.class);
        assertThat(first.asked()).noneMatch(line -> line.startsWith("a.test"));
    }

    private static byte[] chain(Question question, String name, int length) {
        Reply reply = Reply.to(question);
        String from = name;
        for (int i = 0; i < length; i++) {
            reply.cname(from, "to" + i + ".test");
            from = "to" + i + ".test";
        }
        return reply.addressesOf(from, 60, "203.0.113.12").bytes();
    }

    @Test
    void fiftyAddresses_areNotAllTaken() throws IOException {
        String[] many =
                IntStream.range(0, 50).mapToObj(i -> "203.0.113." + i).toArray(String[]::new);
        says(question ->
                question.overTcp()
                        ? Reply.to(question).addresses(60, many)
                        : Reply.to(question).truncated());
        assertThat(resolve("good.test"))
                .hasSize(DnsAnswer.MAX_ADDRESSES)
                .isEqualTo(Arrays.asList(many).subList(0, DnsAnswer.MAX_ADDRESSES));
    }

    @Test
    void answerCutOff_isHadOverTcpOrNotAtAll() throws IOException {
        says(question ->
                Reply.to(question)
                        .addresses(60, question.overTcp() ? "203.0.113.10" : "203.0.113.66")
                        .truncatedUnless(question.overTcp()));
        assertThat(resolve("good.test")).containsExactly("203.0.113.10");

        first.refuseTcp();
        first.say(
                "cut.test",
                question ->
                        Optional.of(
                                Reply.to(question)
                                        .addresses(60, "203.0.113.66")
                                        .truncated()
                                        .bytes()));
        second.say("cut.test", question -> Optional.of(Reply.to(question).code(2).bytes()));
        assertThatThrownBy(() -> resolve("cut.test")).isInstanceOf(IOException.class);
    }

    /// The other server's answer shows that the lookup went on, and that what the first one sent
    /// was not taken.
    @Test
    void answersThatAnswerNothing_areNotTaken() throws IOException {
        Random random = new Random(7);
        List<Function<Question, byte[]>> bad =
                List.of(
                        q ->
                                Reply.to(q)
                                        .id(q.message().getShort(0) + 1)
                                        .addresses(60, "6.6.6.6")
                                        .bytes(),
                        q -> Reply.to(q).about("evil.test").addresses(60, "6.6.6.6").bytes(),
                        q -> Reply.to(q).code(2).addresses(60, "6.6.6.6").bytes(),
                        q -> Reply.to(q).code(5).bytes(),
                        q -> q.message().array(),
                        q -> Arrays.copyOf(Reply.to(q).addresses(60, "6.6.6.6").bytes(), 20),
                        _ -> new byte[0],
                        _ -> {
                            byte[] garbage = new byte[1 + random.nextInt(600)];
                            random.nextBytes(garbage);
                            return garbage;
                        });
        for (int i = 0; i < bad.size(); i++) {
            String name = "bad" + i + ".test";
            int kind = i;
            first.say(name, question -> Optional.of(bad.get(kind).apply(question)));
            second.addresses(name, 60, "203.0.113.20");
            assertThat(resolve(name)).as("kind %d", i).containsExactly("203.0.113.20");
            assertThat(first.asked(name)).isPositive();
        }
    }

    @Test
    void garbageAtRandom_neverEndsInAnAddressNorInMoreThanARefusal() {
        Random random = new Random(11);
        resolver.close();
        resolver = resolver(first.address());
        first.say(
                "good.test",
                question -> {
                    byte[] answer = Reply.to(question).addresses(60, "203.0.113.10").bytes();
                    for (int i = 0; i < 6; i++) {
                        answer[2 + random.nextInt(10)] = (byte) random.nextInt(256);
                    }
                    return Optional.of(answer);
                });
        for (int i = 0; i < 6; i++) {
            try {
                assertThat(resolve("good.test")).isSubsetOf("203.0.113.10", "2001:db8::10");
            } catch (IOException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
            pass(Duration.ofMinutes(2));
        }
    }

    @Test
    void noServerThatAnswers_isARefusalInTimeAndNobodyElseIsAsked() throws IOException {
        for (FakeNameServer each : List.of(first, second)) {
            each.say("silent.test", _ -> Optional.empty());
            each.addresses("fine.test", 60, "203.0.113.20");
            each.say("failing.test", question -> Optional.of(Reply.to(question).code(2).bytes()));
        }
        long start = System.nanoTime();
        assertThatThrownBy(() -> resolve("silent.test"))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(UnknownHostException.class)
                .hasMessageContaining("in time");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(LIMITS.deadline());
        assertThatThrownBy(() -> resolve("failing.test")).hasMessageContaining("ServFail");
        assertThat(first.asked("silent.test")).isEqualTo(2);
        assertThat(second.asked("silent.test")).isEqualTo(2);
        assertThat(resolve("fine.test")).containsExactly("203.0.113.20");
    }

    @Test
    void lateAnswer_isNotTakenForThisNorForTheNextQuestion() throws Exception {
        CountDownLatch late = new CountDownLatch(1);
        first.say(
                "good.test",
                question -> {
                    await(late);
                    return Optional.of(Reply.to(question).addresses(60, "203.0.113.66").bytes());
                });
        assertThat(resolve("good.test")).containsExactly("203.0.113.20");
        pass(Duration.ofMinutes(2));
        first.addresses("good.test", 60, "203.0.113.10");
        late.countDown();
        assertThat(resolve("good.test")).containsExactly("203.0.113.10");
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void oneFamilyThatIsSilent_doesNotHoldUpTheOther() throws IOException {
        first.say(
                "good.test",
                question ->
                        question.type() == FakeNameServer.A
                                ? Optional.of(
                                        Reply.to(question).addresses(60, "203.0.113.10").bytes())
                                : Optional.empty());
        assertThat(resolve("good.test")).containsExactly("203.0.113.10");
        assertThat(second.asked()).isEmpty();
    }

    @Test
    void referral_isNotFollowed() throws IOException {
        resolver.close();
        resolver = resolver(first.address());
        says(question -> Reply.to(question).referral("good.test", "ns.test", "127.0.0.1"));
        assertThatThrownBy(() -> resolve("good.test")).isInstanceOf(UnknownHostException.class);
        assertThat(first.asked()).containsExactlyInAnyOrder("good.test. A", "good.test. AAAA");
        assertThat(second.asked()).isEmpty();
    }

    @Test
    void answers_areRememberedForTheirTimeAndNotLongerThanTheLimit() throws IOException {
        first.addresses("good.test", 10, "203.0.113.10");
        assertThat(resolve("good.test")).containsExactly("203.0.113.10");
        first.addresses("good.test", 86_400, "203.0.113.11");
        pass(Duration.ofSeconds(9));
        assertThat(resolve("good.test")).containsExactly("203.0.113.10");
        pass(Duration.ofSeconds(1));
        assertThat(resolve("good.test")).containsExactly("203.0.113.11");
        first.addresses("good.test", 0, "203.0.113.12");
        pass(Duration.ofSeconds(59));
        assertThat(resolve("good.test")).containsExactly("203.0.113.11");
        pass(Duration.ofSeconds(1));
        assertThat(resolve("good.test")).containsExactly("203.0.113.12");
        first.addresses("good.test", 0, "203.0.113.13");
        assertThat(resolve("good.test")).as("TTL 0").containsExactly("203.0.113.13");
    }

    @Test
    void absence_isRememberedShortlyAndFailureNotAtAll() throws IOException {
        assertThatThrownBy(() -> resolve("new.test")).isInstanceOf(UnknownHostException.class);
        first.addresses("new.test", 60, "203.0.113.10");
        pass(Duration.ofMillis(4_999));
        assertThatThrownBy(() -> resolve("new.test")).isInstanceOf(UnknownHostException.class);
        assertThat(first.asked("new.test")).isEqualTo(1);
        pass(Duration.ofMillis(1));
        assertThat(resolve("new.test")).containsExactly("203.0.113.10");

        for (FakeNameServer each : List.of(first, second)) {
            each.say("weak.test", question -> Optional.of(Reply.to(question).code(2).bytes()));
        }
        assertThatThrownBy(() -> resolve("weak.test")).isInstanceOf(IOException.class);
        first.addresses("weak.test", 60, "203.0.113.10");
        assertThat(resolve("weak.test")).containsExactly("203.0.113.10");
    }

    @Test
    void moreNamesThanAreRemembered_pushTheOldestOut() throws IOException {
        for (String name : List.of("a.test", "b.test", "c.test")) {
            first.addresses(name, 60, "203.0.113.10");
            assertThat(resolve(name)).hasSize(1);
        }
        assertThat(resolve("c.test")).hasSize(1);
        assertThat(first.asked("c.test")).isEqualTo(1);
        assertThat(resolve("a.test")).hasSize(1);
        assertThat(first.asked("a.test")).isEqualTo(2);
    }

    @Test
    void manyWhoAskForOneName_shareTheQuestion() throws Exception {
        CountDownLatch wait = new CountDownLatch(1);
        first.say(
                "good.test",
                question -> {
                    await(wait);
                    return Optional.of(Reply.to(question).addresses(0, "203.0.113.10").bytes());
                });
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<String>>> all = new ArrayList<>();
            Callable<List<String>> one = () -> resolve("good.test");
            for (int i = 0; i < 20; i++) {
                all.add(threads.submit(one));
            }
            while (first.asked("good.test") == 0) {
                Thread.onSpinWait();
            }
            wait.countDown();
            for (Future<List<String>> each : all) {
                assertThat(each.get()).containsExactly("203.0.113.10");
            }
        }
        assertThat(first.asked("good.test")).isLessThan(20);
    }

    @Test
    void hostsFile_comesFirstAndIsReadAgainWhenItChanges() throws IOException {
        Path hosts = directory.resolve("hosts");
        Files.writeString(
                hosts, "# the host's own\n203.0.113.30 Good.test other\n2001:db8::30 good.test\n");
        assertThat(resolve("good.test")).containsExactly("203.0.113.30", "2001:db8:0:0:0:0:0:30");
        assertThat(first.asked()).isEmpty();
        first.addresses("good.test", 60, "203.0.113.10");
        Files.writeString(hosts, "203.0.113.31 other.test\n");
        assertThat(resolve("good.test")).containsExactly("203.0.113.10");
        assertThat(resolve("other.test")).containsExactly("203.0.113.31");
        Files.delete(hosts);
        assertThatThrownBy(() -> resolve("other.test")).isInstanceOf(UnknownHostException.class);
    }

    @Test
    void nameServersOfTheHost_areItsFirstThreeAndFollowItsFile() throws IOException {
        Path file = directory.resolve("resolv.conf");
        NameServers servers = new NameServers(List.of(), file);
        assertThatThrownBy(servers::now).hasMessageContaining("no name server in " + file);
        Files.writeString(
                file,
                """
                # written by hand
                search corp.test
                nameserver 203.0.113.53
                nameserver not-an-address
                  nameserver   2001:db8::53   # the other
                nameserver 203.0.113.54
                nameserver 203.0.113.55
                """);
        assertThat(servers.now())
                .extracting(each -> each.getAddress().getHostAddress() + "#" + each.getPort())
                .containsExactly("203.0.113.53#53", "2001:db8:0:0:0:0:0:53#53", "203.0.113.54#53");
        Files.writeString(file, "nameserver 203.0.113.56\n");
        assertThat(servers.now()).hasSize(1);
    }
}
