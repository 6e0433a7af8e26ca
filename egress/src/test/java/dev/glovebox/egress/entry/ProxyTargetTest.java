package dev.glovebox.egress.entry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.Host;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyTargetTest {
    private static ProxyTarget.Found found(String host, int port, String path) {
        return new ProxyTarget.Found(Host.parse(host), port, path);
    }

    @ParameterizedTest
    @CsvSource({
        "good.test:443, good.test, 443",
        "GOOD.Test:1, good.test, 1",
        "xn--bcher-kva.test:65535, xn--bcher-kva.test, 65535",
        "203.0.113.10:80, 203.0.113.10, 80",
        "[2001:db8::10]:443, 2001:db8::10, 443",
        "[::ffff:203.0.113.10]:80, -, 0",
        "[::ffff:cb00:710a]:80, 203.0.113.10, 80",
    })
    void tunnel_isOneHostAndOnePort(String target, String host, int port) {
        if (port == 0) {
            assertThat(ProxyTarget.ofConnect(target)).isInstanceOf(ProxyTarget.Refused.class);
        } else {
            assertThat(ProxyTarget.ofConnect(target)).isEqualTo(found(host, port, ""));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "http://good.test/, good.test, 80, /",
        "http://good.test, good.test, 80, /",
        "http://Good.Test:8080/a/b?c=d, good.test, 8080, /a/b?c=d",
        "http://good.test?q=http://evil.test/, good.test, 80, /?q=http://evil.test/",
        "http://good.test/@evil.test:80/, good.test, 80, /@evil.test:80/",
        "http://good.test/?a@evil.test, good.test, 80, /?a@evil.test",
        "http://203.0.113.10/x, 203.0.113.10, 80, /x",
        "http://[2001:db8::10]:81/x, 2001:db8::10, 81, /x",
        "http://good.test//evil.test/, good.test, 80, //evil.test/",
    })
    void request_isAHostAPortAndWhatIsAskedForThere(
            String target, String host, int port, String path) {
        assertThat(ProxyTarget.ofRequest(target)).isEqualTo(found(host, port, path));
    }

    /// Spellings that some reader takes for a name or an address: D5, D6 and D8 of the threats.
    static Stream<String> hosts() {
        return Stream.of(
                "",
                ".",
                "..",
                "good.test.",
                ".good.test",
                "good..test",
                "-good.test",
                "good-.test",
                "go_od.test",
                "good.test%00",
                "good.test%00.evil.test",
                "good%2etest",
                "good%2Etest",
                "g%6fod.test",
                "good.test%20",
                "good.test\t",
                "good.test ",
                " good.test",
                "good.test\0",
                "good.test\0.evil.test",
                "good.test\u000b",
                "good.test\u007f",
                "good.test\u0080",
                "good.test\u00a0",
                "g\u00f6od.test",
                "\uff47ood.test",
                "good\u3002test",
                "good.\u212a",
                "user@good.test",
                "user:pass@good.test",
                "good.test@evil.test",
                "@good.test",
                "good.test\\evil.test",
                "good.test\\",
                "good.test#evil.test",
                "good.test;evil.test",
                "good.test,evil.test",
                "good.test&evil.test",
                "good.test|evil.test",
                "*.good.test",
                "*",
                "[good.test]",
                "[",
                "]",
                "[]",
                "[::1",
                "::1]",
                "::1",
                "[::1%lo]",
                "[::1%25lo]",
                "[fe80::1%eth0.good.test]",
                "[::ffff:127.0.0.1]",
                "[::127.0.0.1]",
                "[v1.good]",
                "[2001:db8::10]x",
                "127.1",
                "127.0.1",
                "2130706433",
                "0x7f000001",
                "0x7f.0.0.1",
                "0177.0.0.1",
                "127.0.0.01",
                "127.0.0.1.",
                "0",
                "0.0",
                "00.0.0.0",
                "256.0.0.1",
                "1.2.3.4.5",
                "1.2.3",
                "169.254.43518",
                "good.test.1",
                "good.test.0x1",
                "a".repeat(64) + ".test",
                ("a".repeat(63) + ".").repeat(4) + "test",
                "a".repeat(300));
    }

    @ParameterizedTest
    @MethodSource("hosts")
    void oddHost_isNoDestination(String host) {
        assertThat(ProxyTarget.ofConnect(host + ":443")).isInstanceOf(ProxyTarget.Refused.class);
        assertThat(ProxyTarget.ofRequest("http://" + host + ":80/"))
                .isInstanceOf(ProxyTarget.Refused.class);
        assertThat(
                        host.isEmpty()
                                ? new ProxyTarget.Refused("")
                                : ProxyTarget.ofRequest("http://" + host + "/x"))
                .isInstanceOf(ProxyTarget.Refused.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0",
                "00",
                "080",
                "0443",
                "+443",
                "-1",
                "443 ",
                " 443",
                "4 43",
                "443x",
                "x443",
                "65536",
                "65979",
                "99999",
                "100000",
                "4294967739",
                "0x1bb",
                "443:443",
                "443.0",
                "443/",
                "443?",
                "443#",
                "443@evil.test",
                "443.good.test",
                "443\0",
                "\u0664\u0664"
            })
    void oddPort_isNoDestination(String port) {
        assertThat(ProxyTarget.ofConnect("good.test:" + port))
                .isInstanceOf(ProxyTarget.Refused.class);
        if (!port.matches("443[/?]")) {
            assertThat(ProxyTarget.ofRequest("http://good.test:" + port + "/"))
                    .isInstanceOf(ProxyTarget.Refused.class);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "good.test",
                "good.test/",
                "/good.test:443",
                "good.test:443/path",
                "http://good.test:443",
                "https://good.test:443/",
                "//good.test:443",
                "*",
                "*:443",
                ":443",
                "[2001:db8::10]",
                "unix:/run/x:443"
            })
    void tunnelInAnotherForm_isRefused(String target) {
        assertThat(ProxyTarget.ofConnect(target)).isInstanceOf(ProxyTarget.Refused.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/x",
                "*",
                "good.test",
                "good.test:80",
                "//good.test/",
                "https://good.test/",
                "HTTPS://good.test/",
                "ftp://good.test/",
                "file:///etc/passwd",
                "gopher://good.test/",
                "ws://good.test/",
                "javascript:alert(1)",
                "HTTP://good.test/",
                "Http://good.test/",
                "http:/good.test/",
                "http:good.test/",
                "http:///good.test/",
                "http://",
                "http:///",
                "http://?x",
                "http://good.test/#x",
                "http://good.test#@evil.test/",
                "http://good.test\\@evil.test/",
                "http://good.test/\\",
                "http://user@good.test/",
                "http://:80/",
                "http://good.test:/",
                "http://http://good.test/",
                " http://good.test/",
                "http://good.test/\u0001",
                "http://good.test/\u00e9"
            })
    void requestInAnotherForm_isRefused(String target) {
        assertThat(ProxyTarget.ofRequest(target)).isInstanceOf(ProxyTarget.Refused.class);
    }

    @Test
    void everyByteInAHost_isALetterADigitAHyphenADotOrNone() {
        IntStream.range(0, 256)
                .forEach(value -> {
                    ProxyTarget target =
                            ProxyTarget.ofConnect("evil" + (char) value + ".good.test:443");
                    boolean plain = value < 0x80 && Character.isLetterOrDigit(value);
                    if (plain) {
                        assertThat(target)
                                .isEqualTo(
                                        found(
                                                "evil"
                                                        + Character.toLowerCase((char) value)
                                                        + ".good.test",
                                                443,
                                                ""));
                    } else {
                        assertThat(target).as("%x", value).isInstanceOf(ProxyTarget.Refused.class);
                    }
                });
    }
}
