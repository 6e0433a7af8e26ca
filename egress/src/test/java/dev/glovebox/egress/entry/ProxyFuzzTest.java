package dev.glovebox.egress.entry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.Broken;
import dev.glovebox.egress.http.HttpCodecs;
import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/// What clients say to the door as a proxy, broken at random: it is refused, or it is for one host
/// in its one spelling and a port, however the bytes were cut.
class ProxyFuzzTest {
    private static final byte[] CONVERSATION =
            HexFormat.of()
                    .parseHex(
                            "05020002"
                                    + "0103666f6f03626172"
                                    + "05010003"
                                    + "09676f6f642e74657374"
                                    + "01bb"
                                    + "16030100");

    @Test
    void brokenRequest_isRefusedOrForOneHost() {
        for (String line : List.of("CONNECT good.test:443", "GET http://good.test:8080/a/b?c=d")) {
            byte[] request =
                    (line + " HTTP/1.1\r\nHost: good.test\r\n\r\nmore")
                            .getBytes(StandardCharsets.US_ASCII);
            assertThat(targets(request)).hasSize(1);
            Broken.each(request, bytes -> targets(bytes).forEach(ProxyFuzzTest::isPlain));
        }
    }

    private static List<ProxyTarget.Found> targets(byte[] bytes) {
        EmbeddedChannel channel =
                new EmbeddedChannel(new HttpCodecs.RequestReader(HttpCodecs.config(1024)));
        channel.writeInbound(Unpooled.copiedBuffer(bytes));
        channel.finish();
        List<ProxyTarget.Found> targets = new ArrayList<>();
        Object message;
        while ((message = channel.readInbound()) != null) {
            if (message instanceof HttpRequest head
                    && HttpMessages.unreadable(head).isEmpty()
                    && (head.method().equals(HttpMethod.CONNECT)
                                    ? ProxyTarget.ofConnect(head.uri())
                                    : ProxyTarget.ofRequest(head.uri()))
                            instanceof ProxyTarget.Found found) {
                targets.add(found);
            }
            ReferenceCountUtil.release(message);
        }
        return targets;
    }

    private static void isPlain(ProxyTarget.Found found) {
        isPlain(found.host(), found.port());
        assertThat(found.path()).matches("(/[!-~]*)?");
    }

    private static void isPlain(Host host, int port) {
        assertThat(port).isBetween(1, 65535);
        switch (host) {
            case HostName name -> assertThat(name.text()).matches("[a-z0-9-]+(\\.[a-z0-9-]+)*");
            case HostAddress address -> assertThat(Host.parse(address.text())).isEqualTo(address);
        }
    }

    @Test
    void brokenSocks_isReadAlikeHoweverItIsCut() {
        assertThat(messages(CONVERSATION, CONVERSATION.length)).hasSize(3);
        Broken.each(
                CONVERSATION,
                bytes -> {
                    List<SocksMessage> whole = messages(bytes, bytes.length);
                    assertThat(messages(bytes, 1)).isEqualTo(whole);
                    whole.forEach(message -> {
                        if (message instanceof SocksMessage.Request(Host host, int port)) {
                            isPlain(host, port);
                        }
                    });
                });
    }

    /// What is understood when so many bytes come at a time.
    private static List<SocksMessage> messages(byte[] bytes, int step) {
        List<Function<ByteBuf, SocksMessage>> readers =
                List.of(SocksMessage::greeting, SocksMessage::login, SocksMessage::request);
        List<SocksMessage> messages = new ArrayList<>();
        ByteBuf soFar = Unpooled.buffer();
        for (int at = 0; at < bytes.length; at += step) {
            soFar.writeBytes(bytes, at, Math.min(step, bytes.length - at));
            while (messages.size() < readers.size() && goesOn(messages)) {
                SocksMessage next = readers.get(messages.size()).apply(soFar);
                if (next instanceof SocksMessage.Incomplete) {
                    break;
                }
                messages.add(next);
            }
        }
        return messages;
    }

    private static boolean goesOn(List<SocksMessage> messages) {
        return messages.isEmpty()
                || messages.getLast() instanceof SocksMessage.Greeting
                || messages.getLast() instanceof SocksMessage.Login;
    }
}
