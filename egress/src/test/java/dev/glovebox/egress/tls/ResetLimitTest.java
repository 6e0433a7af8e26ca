package dev.glovebox.egress.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ResetLimitTest {
    private final AtomicLong clock = new AtomicLong(-5);
    private final EmbeddedChannel connection = new EmbeddedChannel(new ResetLimit(clock::get));

    @AfterEach
    void release() {
        connection.finishAndReleaseAll();
    }

    @Test
    void oneTooManyOfWhateverKind_endsTheConnectionWithOneWord() {
        reset(Http2Error.CANCEL, ResetLimit.MOST - 1);
        reset(Http2Error.PROTOCOL_ERROR, 1);
        assertThat(connection.isOpen()).isTrue();
        assertThat(connection.outboundMessages()).hasSize(ResetLimit.MOST);

        reset(Http2Error.CANCEL, 1);

        assertThat(connection.isOpen()).isFalse();
        assertThat(connection.outboundMessages()).hasSize(ResetLimit.MOST + 2);
        Object last = connection.outboundMessages().stream().reduce((a, b) -> b).orElseThrow();
        assertThat(((Http2GoAwayFrame) last).errorCode())
                .isEqualTo(Http2Error.ENHANCE_YOUR_CALM.code());
    }

    @Test
    void resetsAfterWholeAnswers_areNotCounted() {
        reset(Http2Error.NO_ERROR, 10 * ResetLimit.MOST);

        assertThat(connection.isOpen()).isTrue();
    }

    @Test
    void asManyInEachHalfMinute_areNotTooMany() {
        for (int i = 0; i < 10; i++) {
            reset(Http2Error.CANCEL, ResetLimit.MOST);
            clock.addAndGet(Duration.ofSeconds(30).toNanos());
        }

        assertThat(connection.isOpen()).isTrue();
    }

    private void reset(Http2Error error, int times) {
        for (int i = 0; i < times; i++) {
            connection.writeOutbound(new DefaultHttp2ResetFrame(error));
        }
    }
}
