package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.lookup.LookupConfig;
import dev.glovebox.egress.onward.OnwardConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Names that a door allows, looked up at dnsmasq of Debian, which writes down what it was asked.
class NameServersIT {
    private static final String POLICY =
            """
            rules:
              - {name: web, host: .good.test, port: 81, protocol: tcp, action: allow}
              - {name: pinned, host: pinned.test, port: 81, protocol: tcp, action: allow, connect: "inside.good.test:80"}
            """;
    private static final String DNSMASQ =
            """
            port=53
            listen-address=203.0.113.53
            bind-interfaces
            no-resolv
            no-hosts
            user=root
            pid-file=
            local=/test/
            addn-hosts=DIR/names
            cname=alias.good.test,good.test
            log-queries
            log-facility=DIR/dnsmasq.log
            """;

    @RegisterExtension final Internet internet = new Internet();

    @TempDir Path directory;
    private Inside inside;

    @BeforeEach
    void open() throws Exception {
        for (String address : List.of(Internet.GOOD, Internet.GOOD_6)) {
            internet.closedLater(
                    internet.out().enter(() -> new FakeWeb(InetAddress.ofLiteral(address), 81)));
        }
        internet.web(Internet.INTRANET);
        StringBuilder lines = new StringBuilder();
        lines.append("203.0.113.10 good.test\n2001:db8::10 good.test six.good.test\n");
        lines.append("10.0.0.5 inside.good.test\n");
        for (int i = 100; i < 160; i++) {
            lines.append("203.0.113.").append(i).append(" big.good.test\n");
        }
        lines.append("203.0.113.10 big.good.test\n");
        Files.writeString(directory.resolve("names"), lines);
        Path conf =
                Files.writeString(
                        directory.resolve("dnsmasq.conf"),
                        DNSMASQ.replace("DIR", directory.toString()));
        Process server =
                internet.out()
                        .start(
                                directory.resolve("dnsmasq.out"),
                                "/usr/sbin/dnsmasq",
                                "--keep-in-foreground",
                                "--conf-file=" + conf);
        internet.closedLater(() -> Programs.stop(server));
        Files.writeString(
                directory.resolve("outside.conf"),
                "search corp.test\nnameserver 203.0.113.53\noptions ndots:5\n");
        untilAnswers(server);
        Doors doors =
                internet.doors(
                        EgressConfig.at(directory.resolve("doors"))
                                .withOnward(
                                        OnwardConfig.DEFAULT.withLookups(
                                                LookupConfig.DEFAULT.withFiles(
                                                        directory.resolve("outside.conf"),
                                                        directory.resolve("hosts")))));
        inside = new Inside(internet.door(doors, "one", EgressPolicy.parse(POLICY)), directory);
    }

    private void untilAnswers(Process server) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (System.nanoTime() < end && server.isAlive()) {
            if (Files.exists(directory.resolve("dnsmasq.log")) && log().contains("read ")) {
                return;
            }
            server.waitFor(50, TimeUnit.MILLISECONDS);
        }
        throw new AssertionError(Files.readString(directory.resolve("dnsmasq.out")));
    }

    private String log() throws IOException {
        return Files.readString(directory.resolve("dnsmasq.log"), StandardCharsets.ISO_8859_1);
    }

    private List<String> asked() throws IOException {
        return log().lines()
                .filter(line -> line.contains(": query["))
                .map(line -> line.replaceFirst(".*: query\\[(\\w+)\\] (\\S+) from.*", "$2 $1"))
                .toList();
    }

    private String get(String name) throws Exception {
        return inside.curl("http://" + name + ":81/x").output();
    }

    @Test
    void allowedNames_areFoundAndNoOtherIsAskedFor() throws Exception {
        for (String name : List.of("good.test", "alias.good.test", "six.good.test")) {
            assertThat(get(name)).as(name).isEqualTo("GET /x " + name + ":81\n200");
        }
        assertThat(internet.dialled())
                .containsExactlyInAnyOrder(Internet.GOOD + " 81", Internet.GOOD_6 + " 81");
        for (String name : List.of("none.good.test", "inside.good.test")) {
            assertThat(inside.curl("http://" + name + ":81/").exit()).as(name).isEqualTo(56);
        }
        assertThat(inside.curl("http://evil.test:81/").exit()).isEqualTo(6);
        assertThat(inside.curl("http://x.y.good.test:81/").exit()).isEqualTo(6);
        assertThat(asked())
                .containsOnly(
                        "good.test A",
                        "good.test AAAA",
                        "alias.good.test A",
                        "alias.good.test AAAA",
                        "six.good.test A",
                        "six.good.test AAAA",
                        "none.good.test A",
                        "none.good.test AAAA",
                        "inside.good.test A",
                        "inside.good.test AAAA");
    }

    @Test
    void answerTooLongForADatagram_isHadOverTcp() throws Exception {
        assertThat(inside.curl("http://big.good.test:81/").output())
                .as("sixty addresses of nobody, some of which are tried")
                .isNotBlank();
        assertThat(internet.dialled())
                .contains(Internet.NAMES + " 53")
                .anyMatch(each -> each.matches("203\\.0\\.113\\.(1[0-5]\\d|10) 81"));
        assertThat(get("good.test")).endsWith("200");
    }

    @Test
    void nameThatTheOperatorPinned_mayLeadToAPrivateAddress() throws Exception {
        assertThat(get("pinned.test")).isEqualTo("GET /x pinned.test:81\n200");
        assertThat(asked()).containsOnly("inside.good.test A", "inside.good.test AAAA");
    }

    @Test
    void serversThatAreDeadOrChanged_areLeftForTheNextOfTheFile() throws Exception {
        Path file = directory.resolve("outside.conf");
        Files.writeString(file, "nameserver 203.0.113.54\n");
        assertThat(inside.curl("http://good.test:81/").exit()).isNotZero();
        Files.writeString(file, "nameserver 203.0.113.54\nnameserver 203.0.113.53\n");
        assertThat(get("good.test")).endsWith("200");
        Files.writeString(file, "# none\n");
        assertThat(inside.curl("http://six.good.test:81/").exit()).isEqualTo(56);
    }
}
