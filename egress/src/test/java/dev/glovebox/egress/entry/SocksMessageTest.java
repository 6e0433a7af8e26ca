package dev.glovebox.egress.entry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SocksMessageTest {
    private static ByteBuf bytes(String hex) {
        return Unpooled.wrappedBuffer(HexFormat.of().parseHex(hex));
    }

    private static SocksMessage request(String host, int port) {
        byte[] name = host.getBytes(StandardCharsets.ISO_8859_1);
        return SocksMessage.request(
                Unpooled.buffer()
                        .writeBytes(new byte[] {5, 1, 0, 3, (byte) name.length})
                        .writeBytes(name)
                        .writeShort(port));
    }

    private static Host host(String text) {
        return Host.parse(text);
    }

    /// Every prefix is incomplete, the whole is read to its end and no further.
    private static SocksMessage cut(String hex, Function<ByteBuf, SocksMessage> reader) {
        byte[] whole = HexFormat.of().parseHex(hex);
        for (int length = 0; length < whole.length; length++) {
            ByteBuf part = Unpooled.wrappedBuffer(whole, 0, length);
            assertThat(reader.apply(part)).isEqualTo(new SocksMessage.Incomplete());
            assertThat(part.readerIndex()).isZero();
        }
        ByteBuf more = Unpooled.wrappedBuffer(whole, new byte[] {1, 2, 3});
        SocksMessage message = reader.apply(more);
        assertThat(more.readerIndex()).isEqualTo(whole.length);
        return message;
    }

    @Test
    void greeting_offersWaysToLogIn() {
        assertThat(cut("050100", SocksMessage::greeting))
                .isEqualTo(new SocksMessage.Greeting(true, false));
        assertThat(cut("0503000102", SocksMessage::greeting))
                .isEqualTo(new SocksMessage.Greeting(true, true));
        assertThat(cut("05020102", SocksMessage::greeting))
                .isEqualTo(new SocksMessage.Greeting(false, true));
        assertThat(cut("0500", SocksMessage::greeting))
                .isEqualTo(new SocksMessage.Greeting(false, false));
    }

    @Test
    void login_isReadAndForgotten() {
        assertThat(cut("0103666f6f03626172", SocksMessage::login))
                .isEqualTo(new SocksMessage.Login());
        assertThat(cut("010000", SocksMessage::login)).isEqualTo(new SocksMessage.Login());
    }

    @Test
    void request_isForANameOrAnAddress() {
        assertThat(cut("0501000309676f6f642e7465737401bb", SocksMessage::request))
                .isEqualTo(new SocksMessage.Request(host("good.test"), 443));
        assertThat(cut("05010001cb00710a0050", SocksMessage::request))
                .isEqualTo(new SocksMessage.Request(host("203.0.113.10"), 80));
        assertThat(cut("0501000420010db80000000000000000000000100050", SocksMessage::request))
                .isEqualTo(new SocksMessage.Request(host("2001:db8::10"), 80));
        assertThat(cut("0501000400000000000000000000ffff7f0000010050", SocksMessage::request))
                .isEqualTo(
                        new SocksMessage.Request(
                                new HostAddress(InetAddress.ofLiteral("127.0.0.1")), 80));
    }

    @ParameterizedTest
    @CsvSource({
        "05020001cb00710a0050, 7",
        "05030001cb00710a0050, 7",
        "05000001cb00710a0050, 7",
        "05ff0001cb00710a0050, 7",
        "05010101cb00710a0050, 1",
        "05010000cb00710a0050, 8",
        "05010002cb00710a0050, 8",
        "050100ffcb00710a0050, 8",
        "05010001cb00710a0000, 2",
    })
    void requestThatIsNotServed_isToldWhy(String hex, int code) {
        assertThat(SocksMessage.request(bytes(hex)))
                .isInstanceOfSatisfying(
                        SocksMessage.Refused.class,
                        refused -> assertThat(refused.code()).isEqualTo(code));
    }

    @Test
    void otherProtocols_areNotReadFurther() {
        assertThat(SocksMessage.greeting(bytes("04"))).isEqualTo(new SocksMessage.Old());
        for (int first = 0; first < 256; first++) {
            if (first != 4 && first != 5) {
                ByteBuf one = Unpooled.wrappedBuffer(new byte[] {(byte) first});
                assertThat(SocksMessage.greeting(one)).isEqualTo(new SocksMessage.Malformed());
            }
        }
        assertThat(SocksMessage.login(bytes("05"))).isEqualTo(new SocksMessage.Malformed());
        assertThat(SocksMessage.request(bytes("04"))).isEqualTo(new SocksMessage.Malformed());
    }

    /// The hosts that a CONNECT may not spell, a SOCKS client may not spell either.
    @ParameterizedTest
    @MethodSource("dev.glovebox.egress.entry.ProxyTargetTest#hosts")
    void oddHost_isNoDestination(String host) {
        boolean latin = host.chars().allMatch(c -> c < 256);
        if (latin && host.length() < 256 && !host.equals("::1")) {
            assertThat(request(host, 443)).isInstanceOf(SocksMessage.Refused.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"evil.test%s.good.test", "%sgood.test", "good.test%s", "evil%s.good.test"})
    void everyByteInAName_isOneThatNamesHaveOrRefused(String pattern) {
        for (int value = 0; value < 256; value++) {
            String name = pattern.formatted((char) value);
            SocksMessage message = request(name, 80);
            if (value < 0x80
                    && name.matches("[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*")
                    && !name.startsWith("-")
                    && !name.endsWith("-")
                    && !name.contains("-.")) {
                assertThat(message)
                        .as("%x", value)
                        .isEqualTo(new SocksMessage.Request(host(name), 80));
            } else {
                assertThat(message)
                        .as("%x", value)
                        .isInstanceOfSatisfying(
                                SocksMessage.Refused.class,
                                refused -> assertThat(refused.code()).isEqualTo(2));
            }
        }
    }
}
