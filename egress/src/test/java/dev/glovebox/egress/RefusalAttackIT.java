package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// D40, J10: a sandbox that looks for machines by the ways it is refused. What is there and what is
/// not are refused alike, with no packet sent and no name looked up.
class RefusalAttackIT {
    private static final String THERE = "10.0.0.5";
    private static final String NOT_THERE = "10.0.0.6";

    /// What becomes of a connection: refused while it connects, or what is read until it ends.
    private static final String PROBE =
            """
            import socket, sys
            for port in sys.argv[2:]:
                try:
                    one = socket.create_connection((sys.argv[1], int(port)), 5)
                    one.settimeout(5)
                    one.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
                    print(port, one.recv(4096))
                except OSError as e:
                    print(port, "reset" if isinstance(e, (ConnectionResetError, BrokenPipeError)) else type(e).__name__)
            """;

    @RegisterExtension final Internet internet = new Internet();
    @TempDir Path directory;
    private final List<HostName> lookedUp = new CopyOnWriteArrayList<>();
    private FakeWeb intranet;
    private Door door;
    private Inside inside;

    @BeforeEach
    void open() throws Exception {
        internet.web(Internet.GOOD);
        intranet = internet.web(THERE);
        Path key = Files.writeString(directory.resolve("key"), "sk-hush-0123456789");
        Doors doors = internet.doors(directory.resolve("doors"), lookedUp);
        door =
                internet.door(
                        doors,
                        "one",
                        EgressPolicy.parse(
                                """
                                rules:
                                  - {name: web, host: good.test, protocol: http, action: allow}
                                  - {name: corp, host: "*.corp.test", protocol: http, action: allow}
                                  - {name: down, host: down.test, protocol: http, action: allow, connect: "203.0.113.66:81", credential: key, insecure-credential: true}
                                credentials:
                                  - {name: key, header: X-Key, format: "{}", source: {file: %s}}
                                """
                                        .formatted(key)));
        inside = new Inside(door, directory);
    }

    private String probe(String address) throws Exception {
        return inside.run(
                        "/usr/bin/python3", "-c", PROBE, address, "22", "80", "443", "8080", "9999")
                .output()
                .replace(address, "ADDRESS")
                .replaceAll("content-length: \\d+", "content-length: N");
    }

    @Test
    void scanOfAddressesAndNames_tellsNothing() throws Exception {
        assertThat(inside.curl("http://good.test/").output()).endsWith("200");
        assertThat(internet.host().run("curl", "-sS", "-m", "8", "http://" + THERE + "/"))
                .startsWith("GET /");
        lookedUp.clear();
        intranet.seen().clear();
        long before = internet.packets();
        Set<String> answers = new LinkedHashSet<>();
        for (String address :
                List.of(
                        THERE,
                        NOT_THERE,
                        "10.0.0.1",
                        "192.168.1.1",
                        Internet.METADATA,
                        Internet.EVIL,
                        "203.0.113.200")) {
            answers.add(probe(address));
        }
        assertThat(answers)
                .as("one answer for all")
                .hasSize(1)
                .allMatch(text -> text.contains("403") && text.contains("reset"));
        internet.name("there.intra.test", THERE);
        Set<String> names = new LinkedHashSet<>();
        for (String name : List.of("there", "absent", "www", "vpn")) {
            names.add(
                    inside.curl("http://" + name + ".intra.test/").output().replace(name, "NAME"));
        }
        assertThat(names).as("one answer for all").hasSize(1);
        assertThat(lookedUp).isEmpty();
        assertThat(internet.packets()).isEqualTo(before);
        assertThat(intranet.seen()).isEmpty();
    }

    /// Behind a rule, a page tells the class of what is wrong, and no more.
    @Test
    void pageAboutAFailure_namesNoAddressPathOrProgram() throws Exception {
        internet.name("there.corp.test", THERE, "10.0.0.7");
        internet.name("evil.corp.test", Internet.EVIL);
        for (String url :
                List.of(
                        "http://there.corp.test/",
                        "http://not.corp.test/",
                        "http://evil.corp.test/",
                        "http://down.test/",
                        "http://good.test/a/../b",
                        "http://203.0.113.77/")) {
            String page = inside.curl("--path-as-is", url).output();
            assertThat(page.replace("203.0.113.77", ""))
                    .as(url)
                    .startsWith("Glovebox")
                    .matches("(?s).*\n(400|403|502)")
                    .doesNotContainPattern(
                            "\\d+\\.\\d+\\.\\d+\\.\\d+|/tmp|/etc|Exception|java|netty|sk-hush");
        }
        assertThat(intranet.seen()).isEmpty();
    }
}
