package dev.glovebox.egress.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Host;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class IdleConnectionsTest {
    private static final int PLACES = 2;

    private final Semaphore room = new Semaphore(PLACES);
    private final EmbeddedChannel clock = new EmbeddedChannel();
    private final IdleConnections idle = new IdleConnections(clock.eventLoop(), 3);

    private static Upstreams.Key key(String host) {
        EgressPolicy policy =
                EgressPolicy.parse(
                        "rules: [{name: web, host: good.test, protocol: http, action: allow}]");
        return new Upstreams.Key(
                new Destination(Host.parse(host), 80),
                policy.rules().getFirst(),
                Optional.empty(),
                Upstreams.How.CLEAR);
    }

    private Seat connection() {
        assertThat(room.tryAcquire()).isTrue();
        return Seat.of(new EmbeddedChannel(), room);
    }

    private Seat kept(String host) {
        Seat seat = connection();
        idle.keep(key(host), seat);
        return seat;
    }

    @Test
    void waitingConnection_takesNoPlace_andHasOneAgainWhenItIsUsed() {
        Seat seat = kept("good.test");
        assertThat(room.availablePermits()).isEqualTo(PLACES);
        assertThat(idle.take(key("other.test"))).isEmpty();
        assertThat(idle.take(key("good.test"))).contains(seat);
        assertThat(room.availablePermits()).isEqualTo(PLACES - 1);
        assertThat(idle.take(key("good.test"))).isEmpty();
        seat.channel().close().syncUninterruptibly();
        assertThat(room.availablePermits()).isEqualTo(PLACES);
    }

    @Test
    void waitingConnection_isClosedIfThereIsNoPlaceForIt() {
        Seat seat = kept("good.test");
        room.acquireUninterruptibly(PLACES);
        assertThat(idle.take(key("good.test"))).isEmpty();
        assertThat(seat.channel().isOpen()).isFalse();
        assertThat(room.availablePermits()).isZero();
    }

    @Test
    void tooMany_closeTheOneThatHasWaitedLongest() {
        Seat first = kept("one.test");
        Seat second = kept("two.test");
        kept("three.test");
        kept("four.test");
        assertThat(first.channel().isOpen()).isFalse();
        assertThat(idle.take(key("one.test"))).isEmpty();
        assertThat(idle.take(key("two.test"))).contains(second);
    }

    @Test
    void theLastUsed_isGivenFirst() {
        Seat first = kept("good.test");
        Seat second = kept("good.test");
        assertThat(idle.take(key("good.test"))).contains(second);
        assertThat(idle.take(key("good.test"))).contains(first);
    }

    @Test
    void serverThatClosesOrSaysSomethingUnasked_isNotUsedAgain() {
        Seat closed = kept("good.test");
        Seat talking = kept("good.test");
        closed.channel().close().syncUninterruptibly();
        ((EmbeddedChannel) talking.channel()).writeInbound(Unpooled.copyLong(1));
        assertThat(talking.channel().isOpen()).isFalse();
        assertThat(idle.take(key("good.test"))).isEmpty();
        assertThat(room.availablePermits()).isEqualTo(PLACES);
    }

    @Test
    void afterTwentySeconds_itIsClosed() {
        clock.freezeTime();
        Seat early = kept("good.test");
        clock.advanceTimeBy(15, TimeUnit.SECONDS);
        clock.runScheduledPendingTasks();
        Seat late = kept("good.test");
        clock.advanceTimeBy(6, TimeUnit.SECONDS);
        clock.runScheduledPendingTasks();
        assertThat(early.channel().isOpen()).isFalse();
        assertThat(late.channel().isOpen()).isTrue();
        clock.advanceTimeBy(15, TimeUnit.SECONDS);
        clock.runScheduledPendingTasks();
        assertThat(late.channel().isOpen()).isFalse();
    }

    @Test
    void clearing_closesAll() {
        Seat seat = kept("good.test");
        idle.clear();
        assertThat(seat.channel().isOpen()).isFalse();
        assertThat(idle.take(key("good.test"))).isEmpty();
    }
}
