package dev.glovebox.egress.onward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.EgressException;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.credential.Source;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TunnelTest {
    private static final Source PASSWORD = new Source.File("/etc/glovebox/password");

    @Test
    void bytesOfTheDestination_beginBehindTheTlsOfAProxy() {
        EmbeddedChannel straight = new EmbeddedChannel(new ChannelInboundHandlerAdapter());
        ChannelInboundHandlerAdapter own = new ChannelInboundHandlerAdapter();
        Tunnel.addFirst(straight.pipeline(), own);
        assertThat(straight.pipeline().first()).isSameAs(own);

        EmbeddedChannel tunnelled = new EmbeddedChannel();
        ChannelInboundHandlerAdapter proxys = new ChannelInboundHandlerAdapter();
        tunnelled.pipeline().addLast("proxy-tls", proxys);
        tunnelled.pipeline().addLast(new ChannelInboundHandlerAdapter());
        ChannelInboundHandlerAdapter inner = new ChannelInboundHandlerAdapter();
        Tunnel.addFirst(tunnelled.pipeline(), inner);
        assertThat(tunnelled.pipeline().first()).isSameAs(proxys);
        assertThat(tunnelled.pipeline().toMap().values()).element(1).isSameAs(inner);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a:b", "a\nb"})
    void userThatCannotBeSent_isRefused(String user) {
        assertThatThrownBy(() -> new UpstreamProxy.Login(user, PASSWORD))
                .isInstanceOf(EgressException.class)
                .hasMessageContaining("user");
    }

    @Test
    void passwordFromAnotherSource_isRefused() {
        Source command = new Source.Command(List.of("/bin/pass"), Duration.ofMinutes(1));
        assertThatThrownBy(() -> new UpstreamProxy.Login("glovebox", command))
                .hasMessageContaining("a file or a variable");
        assertThatThrownBy(() -> new UpstreamProxy.Login("g".repeat(256), PASSWORD))
                .hasMessageContaining("255");
        assertThat(new UpstreamProxy.Login("glovebox", PASSWORD).toString())
                .contains("/etc/glovebox/password");
    }

    @Test
    void moreThanEnoughDirectHosts_areRefused() {
        HostPattern host = HostPattern.parse("a.test");
        assertThatThrownBy(() ->
                        new UpstreamProxy(
                                UpstreamProxy.Kind.HTTP,
                                Endpoint.parse("10.0.0.5:3128"),
                                Optional.empty(),
                                UpstreamProxy.Resolve.WORKER,
                                Collections.nCopies(257, host)))
                .hasMessageContaining("256");
    }
}
