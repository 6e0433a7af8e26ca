package dev.glovebox.egress.onward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.EgressException;
import dev.glovebox.egress.lookup.LookupConfig;
import dev.glovebox.egress.lookup.LookupLimits;
import dev.glovebox.protocol.egress.HostName;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LookupsTest {
    private static final LookupLimits LIMITS =
            new LookupLimits(
                    2,
                    3,
                    4,
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(1),
                    8,
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(5));
    private static final HostName NAME = HostName.parse("good.test");

    private final MultiThreadIoEventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final EventLoop loop = loops.next();
    private final CountDownLatch go = new CountDownLatch(1);
    private final Lookups lookups = new Lookups(this::resolve, LIMITS);

    private List<InetAddress> resolve(HostName name) throws IOException {
        try {
            assertThat(go.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        return switch (name.text()) {
            case "good.test" -> List.of(InetAddress.ofLiteral("203.0.113.10"));
            case "none.test" -> throw new UnknownHostException(name.text());
            case "broken.test" -> throw new IllegalStateException("203.0.113.53 is odd");
            default -> throw new IOException("the name server answered ServFail(2)");
        };
    }

    @AfterEach
    void stop() {
        go.countDown();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
    }

    private CompletableFuture<String> find(Lookups.Share share, HostName name) {
        CompletableFuture<String> outcome = new CompletableFuture<>();
        share.find(
                name,
                loop,
                found -> outcome.complete(found.toString()),
                failure -> outcome.complete(failure.told() + " | " + failure.detail()));
        return outcome;
    }

    @Test
    void doorThatUsesUpItsShare_leavesItsNeighboursTheirs() {
        Lookups.Share greedy = lookups.share();
        List<CompletableFuture<String>> waiting = new ArrayList<>();
        waiting.add(find(greedy, NAME));
        waiting.add(find(greedy, NAME));
        assertThat(find(greedy, NAME)).isCompletedWithValueMatching(s -> s.contains("too many"));
        Lookups.Share second = lookups.share();
        waiting.add(find(second, NAME));
        assertThat(find(second, NAME))
                .as("all that there is, is in use")
                .isCompletedWithValueMatching(s -> s.contains("too many"));
        for (int i = 0; i < 10; i++) {
            waiting.add(find(lookups.share(), NAME));
        }
        go.countDown();
        assertThat(waiting)
                .allSatisfy(each ->
                        assertThat(each)
                                .succeedsWithin(Duration.ofSeconds(30))
                                .isEqualTo("[/203.0.113.10]"));
        assertThat(find(greedy, NAME)).succeedsWithin(Duration.ofSeconds(30));
    }

    @Test
    void namesThatTheSandboxChooses_areNotWithoutNumber() {
        Lookups.Share share = lookups.share();
        for (int i = 0; i < 4; i++) {
            assertThat(share.mayChoose(HostName.parse("n" + i + ".wild.test"))).isTrue();
        }
        assertThat(share.mayChoose(HostName.parse("n4.wild.test"))).isFalse();
        assertThat(share.mayChoose(HostName.parse("n0.wild.test"))).as("again").isTrue();
        assertThat(lookups.share().mayChoose(HostName.parse("n4.wild.test"))).isTrue();
    }

    @Test
    void whatTheSandboxHears_doesNotTellWhetherTheNameExists() {
        go.countDown();
        Lookups.Share share = lookups.share();
        assertThat(find(share, HostName.parse("none.test")))
                .succeedsWithin(Duration.ofSeconds(30))
                .asString()
                .startsWith(Failure.NOT_PUBLIC.told() + " | ")
                .endsWith("it has no address");
        assertThat(find(share, HostName.parse("fail.test")))
                .succeedsWithin(Duration.ofSeconds(30))
                .asString()
                .startsWith("the name could not be looked up | ")
                .endsWith("ServFail(2)");
        assertThat(find(share, HostName.parse("broken.test")))
                .succeedsWithin(Duration.ofSeconds(30))
                .asString()
                .doesNotContain("203.0.113.53");
    }

    @Test
    void limits_areCheckedAndHaveDefaults() {
        assertThatThrownBy(() ->
                        new LookupLimits(
                                0,
                                1,
                                1,
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(1),
                                1,
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(1)))
                .isInstanceOf(EgressException.class)
                .hasMessageContaining("of-door");
        assertThat(LookupLimits.DEFAULT.longest()).isEqualTo(Duration.ofSeconds(60));
        assertThat(LookupLimits.DEFAULT.absent()).isEqualTo(Duration.ofSeconds(5));
        assertThat(LookupLimits.DEFAULT.chosenNames()).isEqualTo(256);
        assertThat(OnwardConfig.DEFAULT.proxy()).isEmpty();
        assertThatThrownBy(() ->
                        LookupConfig.DEFAULT.withNameServers(
                                List.of(
                                        java.net.InetSocketAddress.createUnresolved(
                                                "ns.test", 53))))
                .isInstanceOf(EgressException.class);
    }
}
