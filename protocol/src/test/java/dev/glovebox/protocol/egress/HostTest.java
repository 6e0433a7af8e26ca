package dev.glovebox.protocol.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostTest {
    @ParameterizedTest
    @CsvSource({
        "GOOD.Test, good.test",
        "xn--bcher-kva.test, xn--bcher-kva.test",
        "a-b.c1, a-b.c1",
        "127.0.0.1, 127.0.0.1",
        "[::1], 0:0:0:0:0:0:0:1",
        "::ffff:a00:5, 10.0.0.5",
        "2001:DB8::10, 2001:db8:0:0:0:0:0:10",
    })
    void parse_givesTheOneSpelling(String text, String canonical) {
        assertThat(Host.parse(text).text()).isEqualTo(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "good.test.",
                ".good.test",
                "good..test",
                "good test",
                "good.test\t",
                "good.test\u0000.evil.test",
                "good.test%00",
                "good%2etest",
                "good.test:443",
                "user@good.test",
                "good.test/",
                "good.test\\",
                "good.test#",
                "good.test;",
                "-a.test",
                "a-.test",
                "a_b.test",
                "*.good.test",
                "ｇｏｏｄ.test",
                "good。test",
                "\u212Aood.test",
                "0177.0.0.1",
                "127.1",
                "127.0.1",
                "2130706433",
                "0x7f.0.0.1",
                "0x7f000001",
                "127.0.0.01",
                "0",
                "169.254.43518",
                "127.0.0.1.",
                "1.2.3.256",
                "1.2.3.4.5",
                "good.0x1",
                "good.12",
                "fe80::1%1",
                "[::1",
                "::1]",
                "::ffff:127.0.0.1",
                "1::2::3",
                "12345::1",
                "[good.test]"
            })
    void parse_everyTolerantSpelling_isRefused(String text) {
        assertThatThrownBy(() -> Host.parse(text)).isInstanceOf(PolicyException.class);
    }

    @Test
    void parse_lengthLimits() {
        String label = "a".repeat(63);
        assertThat(HostName.tryParse(label + ".test")).isPresent();
        assertThat(HostName.tryParse("a" + label + ".test")).isEmpty();
        String name = (label + ".").repeat(3) + "a".repeat(61);
        assertThat(HostName.tryParse(name)).isPresent();
        assertThat(HostName.tryParse(name + "a")).isEmpty();
    }

    @Test
    void everyByteInsertedIntoANameEitherChangesTheNameOrIsRefused() {
        for (int c = 0; c < 256; c++) {
            for (int at : new int[] {0, 4, 9}) {
                String text = new StringBuilder("good.test").insert(at, (char) c).toString();
                HostName.tryParse(text)
                        .ifPresent(name -> assertThat(name.text()).isNotEqualTo("good.test"));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "8.8.8.8, PUBLIC",
        "203.0.113.10, PUBLIC",
        "2001:db8::10, PUBLIC",
        "127.0.0.1, LOOPBACK",
        "127.255.255.254, LOOPBACK",
        "::1, LOOPBACK",
        "::ffff:7f00:1, LOOPBACK",
        "0.0.0.0, UNSPECIFIED",
        "::, UNSPECIFIED",
        "169.254.169.254, METADATA",
        "::ffff:a9fe:a9fe, METADATA",
        "64:ff9b::a9fe:a9fe, METADATA",
        "2002:a9fe:a9fe::1, METADATA",
        "fd00:ec2::254, METADATA",
        "100.100.100.200, METADATA",
        "168.63.129.16, METADATA",
        "169.254.1.1, LINK_LOCAL",
        "fe80::1, LINK_LOCAL",
        "198.19.255.255, SYNTHETIC",
        "fd67:6c62::5, SYNTHETIC",
        "10.0.0.5, PRIVATE",
        "172.31.255.255, PRIVATE",
        "172.32.0.0, PUBLIC",
        "192.168.1.1, PRIVATE",
        "fd12::1, PRIVATE",
        "::a00:5, PRIVATE",
        "::ffff:0:a00:5, PRIVATE",
        "2001:0:1:2:3:4:f5ff:fffa, PRIVATE",
        "2001:db8::200:5efe:a00:5, PRIVATE",
        "100.64.0.1, SHARED",
        "224.0.0.1, MULTICAST",
        "ff02::fb, MULTICAST",
        "255.255.255.255, RESERVED",
        "192.0.0.8, RESERVED",
        "240.0.0.1, RESERVED",
    })
    void kind_ofEveryWayToWriteAnAddress(String address, AddressClass kind) {
        assertThat(HostAddress.parse(address).kind()).isEqualTo(kind);
    }
}
