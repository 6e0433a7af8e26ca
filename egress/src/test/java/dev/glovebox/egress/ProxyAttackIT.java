package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Ways around the policy by the door's own proxies, tried against a fake internet whose every
/// packet is counted. Each test proves first that the allowed way leads out.
class ProxyAttackIT {
    private static final String POLICY =
            """
            rules:
              - {name: web, host: good.test, protocol: http, action: allow}
              - {name: below, host: "*.good.test", protocol: http, action: allow}
              - {name: raw, host: "*.good.test", port: 7000, protocol: tcp, action: allow}
              - {name: address, host: 203.0.113.10, port: 80, protocol: http, action: allow}
              - {name: rebound, host: "*.rebound.test", protocol: http, action: allow}
              - {name: never, host: never.test, action: deny}
              - {name: door, host: "*.glovebox.internal", ports: ["1-65535"], protocol: tcp, action: allow}
            """;

    @RegisterExtension final Internet internet = new Internet();

    @TempDir Path directory;
    private final Set<String> lookedUp = new ConcurrentSkipListSet<>();
    private Doors doors;
    private Door door;
    private Inside inside;
    private ProxyClient proxy;
    private FakeWeb good;
    private final List<FakeWeb> canaries = new ArrayList<>();

    @BeforeEach
    void open() {
        good = internet.web(Internet.GOOD);
        for (String address :
                List.of(
                        Internet.EVIL,
                        Internet.EVIL_6,
                        Internet.INTRANET,
                        Internet.METADATA,
                        Internet.METADATA_6)) {
            canaries.add(internet.web(address));
        }
        doors =
                internet.doors(
                        new EgressConfig(
                                directory.resolve("doors"), DoorLimits.DEFAULT, this::resolve));
        door = internet.door(doors, "one", EgressPolicy.parse(POLICY));
        inside = new Inside(door, directory);
        proxy = new ProxyClient(door);
    }

    private List<InetAddress> resolve(HostName name) throws IOException {
        lookedUp.add(name.text());
        return name.text().endsWith(".good.test")
                ? List.of(InetAddress.ofLiteral(Internet.GOOD))
                : internet.resolver().resolve(name);
    }

    private void nothingReached() {
        assertThat(canaries).allSatisfy(canary -> assertThat(canary.seen()).isEmpty());
    }

    private static String get(String target) {
        return "GET "
                + target
                + " HTTP/1.1\r\nHost: "
                + target.replaceFirst("^http://([^/?]*).*$", "$1")
                + "\r\n\r\n";
    }

    private void allowedWayLeadsOut() throws IOException {
        long before = internet.packets();
        assertThat(proxy.answer(get("http://good.test/ok"))).startsWith("HTTP/1.1 200");
        assertThat(internet.packets()).isGreaterThan(before);
        good.seen().clear();
    }

    /// How `curl` gets at a URL, by the name of the way.
    private static final Map<String, List<String>> WAYS = new LinkedHashMap<>();

    static {
        WAYS.put("transparent", List.of("--noproxy", "*"));
        WAYS.put("CONNECT", List.of("--noproxy", "", "-p", "-x", ProxyClient.HTTP));
        WAYS.put("absolute form", List.of("--noproxy", "", "-x", ProxyClient.HTTP));
        WAYS.put("SOCKS by name", List.of("--noproxy", "", "-x", ProxyClient.SOCKS));
        WAYS.put("SOCKS by address", List.of("--noproxy", "", "-x", ProxyClient.SOCKS_ADDRESS));
    }

    private boolean passes(String way, String url) throws Exception {
        List<String> line = new ArrayList<>(List.of("curl", "-sSf", "-m", "8"));
        line.addAll(WAYS.get(way));
        line.add(url);
        return inside.run(line.toArray(String[]::new)).exit() == 0;
    }

    /// D2: no way in knows another policy than the others.
    @Test
    void everyWayIn_hasTheSameVerdict() throws Exception {
        FakeWeb host = internet.webOfHost("127.0.0.1", 8800);
        FakeWeb outer = internet.webOfHost(Internet.HOST, 80);
        for (String way : WAYS.keySet()) {
            for (String url :
                    List.of(
                            "http://good.test/ok",
                            "http://a.good.test/ok",
                            "http://203.0.113.10/ok")) {
                long before = internet.packets();
                good.seen().clear();
                assertThat(passes(way, url)).as("%s %s", way, url).isTrue();
                assertThat(internet.packets()).as("%s %s", way, url).isGreaterThan(before);
                assertThat(good.seen()).as("%s %s", way, url).hasSize(1);
            }
            for (String url :
                    List.of(
                            "http://evil.test/",
                            "http://never.test/",
                            "http://good.test:8080/",
                            "http://a.b.good.test/",
                            "http://203.0.113.66/",
                            "http://[2001:db8::66]/",
                            "http://[2001:db8::10]/",
                            "http://169.254.169.254/latest/",
                            "http://[fd00:ec2::254]/",
                            "http://10.0.0.5/",
                            "http://192.0.2.2/",
                            "http://127.0.0.1:8800/",
                            "http://localhost:8800/",
                            "http://[::1]:8800/",
                            "http://0.0.0.0:8800/",
                            "http://198.18.0.1/",
                            "http://198.18.77.77/")) {
                long before = internet.packets();
                assertThat(passes(way, url)).as("%s %s", way, url).isFalse();
                assertThat(internet.packets()).as("%s %s", way, url).isEqualTo(before);
            }
        }
        nothingReached();
        assertThat(host.seen()).isEmpty();
        assertThat(outer.seen()).isEmpty();
    }

    /// D2: nor another reason, in the log of denials and so in the answer to the agent.
    @Test
    void everyWayIn_isRefusedInTheSameWords() throws Exception {
        allowedWayLeadsOut();
        for (String address : List.of(Internet.METADATA, Internet.EVIL, Internet.INTRANET)) {
            Set<Denial> denials = new java.util.HashSet<>();
            for (String way : WAYS.keySet()) {
                Instant start = Instant.now();
                passes(way, "http://" + address + "/");
                Instant any = Instant.EPOCH;
                denials.addAll(
                        door.denialsSince(start).stream()
                                .map(d -> new Denial(any, d.destination(), d.port(), d.reason()))
                                .collect(Collectors.toSet()));
            }
            assertThat(denials)
                    .containsExactly(
                            new Denial(
                                    Instant.EPOCH,
                                    address,
                                    80,
                                    "no rule allows " + address + ":80"));
        }
    }

    private static final List<UnaryOperator<String>> PLACES =
            List.of(
                    x -> x + "evil.good.test",
                    x -> "evil" + x + ".good.test",
                    x -> "evil.good.test" + x,
                    x -> "evil.test" + x + ".good.test",
                    x -> x + "evil.test",
                    x -> "good.test" + x);

    /// The names among them that a rule allows, in the spelling in which they are looked up.
    private static Set<String> allowed() {
        Set<String> names = new TreeSet<>();
        for (UnaryOperator<String> place : PLACES) {
            for (char c : "abcdefghijklmnopqrstuvwxyz0123456789".toCharArray()) {
                String name = place.apply("" + c);
                if (name.matches("[a-z0-9]+\\.good\\.test")) {
                    names.add(name);
                }
            }
        }
        return names;
    }

    /// D4: `evil.test\\0.good.test` ends in an allowed name and begins with another.
    @Test
    void everyByteInASocksName_dialsNothingButAllowedNames() throws Exception {
        long before = internet.packets();
        assertThat(proxy.socksReply(ProxyClient.byName("good.test", 80))).isZero();
        lookedUp.clear();
        Set<Integer> replies = new TreeSet<>();
        for (UnaryOperator<String> place : PLACES) {
            for (int value = 0; value < 256; value++) {
                String name = place.apply("" + (char) value);
                int reply = proxy.socksReply(ProxyClient.byName(name, 7000));
                replies.add(reply);
                assertThat(reply == 0)
                        .as("%x in %s", value, place.apply("?"))
                        .isEqualTo(name.matches("[A-Za-z0-9]+\\.good\\.test"));
            }
        }
        assertThat(replies).containsExactly(0, 2);
        await().untilAsserted(() -> assertThat(lookedUp).isEqualTo(allowed()));
        assertThat(internet.packets()).isGreaterThan(before);
        nothingReached();
    }

    /// D4, in the target and the Host header of a CONNECT.
    @Test
    void everyByteInAConnect_dialsNothingButAllowedNames() throws Exception {
        for (UnaryOperator<String> place : PLACES) {
            for (int value = 0; value < 256; value++) {
                String target = place.apply("" + (char) value) + ":7000";
                try (Socket socket = proxy.http(ProxyClient.connect(target))) {
                    assertThat(ProxyClient.head(socket))
                            .as("%x in %s", value, place.apply("?"))
                            .matches(
                                    target.matches("[A-Za-z0-9]+\\.good\\.test:7000")
                                            ? "HTTP/1.1 200 [^\r]*\r\n\r\n"
                                            : "(?s)HTTP/1.1 40[03] .*");
                }
            }
        }
        await().untilAsserted(() -> assertThat(lookedUp).isEqualTo(allowed()));
        nothingReached();
    }

    /// D4, in the target and the Host header of any other request.
    @Test
    void everyByteInAnAbsoluteForm_dialsNothingButAllowedNames() throws Exception {
        allowedWayLeadsOut();
        lookedUp.clear();
        for (UnaryOperator<String> place : PLACES) {
            for (int value = 0; value < 256; value++) {
                String host = place.apply("" + (char) value);
                try (Socket socket =
                        proxy.http(
                                "GET http://"
                                        + host
                                        + "/ HTTP/1.1\r\nHost: "
                                        + host
                                        + "\r\n\r\n")) {
                    assertThat(ProxyClient.head(socket))
                            .as("%x in %s", value, place.apply("?"))
                            .matches(
                                    host.matches("[A-Za-z0-9]+\\.good\\.test")
                                            ? "(?s)HTTP/1.1 200 .*"
                                            : "(?s)HTTP/1.1 40[03] .*");
                }
            }
        }
        assertThat(lookedUp).isEqualTo(allowed());
        assertThat(good.seen())
                .allMatch(seen -> allowed().contains(seen.headers().getFirst("Host")));
        nothingReached();
    }

    /// D33: the door's way out begins on the worker's machine, whose loopback is not the sandbox's.
    @Test
    void loopbackThroughTheProxies_isRefusedInEverySpelling() throws Exception {
        List<FakeWeb> own =
                List.of(
                        internet.webOfHost("127.0.0.1", 8800),
                        internet.webOfHost("0.0.0.0", 9999),
                        internet.webOfHost("::1", 8800));
        allowedWayLeadsOut();
        for (String host :
                List.of(
                        "127.0.0.1",
                        "127.255.255.254",
                        "localhost",
                        "LOCALHOST",
                        "localhost.",
                        "a.localhost",
                        "0.0.0.0",
                        "0.1.2.3",
                        "0",
                        "127.1",
                        "2130706433",
                        "0x7f000001",
                        "0177.0.0.1",
                        "[::1]",
                        "[::]",
                        "[::ffff:7f00:1]",
                        "[::ffff:127.0.0.1]",
                        "[::7f00:1]",
                        "[64:ff9b::7f00:1]",
                        "[2002:7f00:1::]",
                        "198.18.0.1",
                        "[fd67:6c62::1]",
                        "proxy.glovebox.internal",
                        "192.0.2.2",
                        "[fd99::2]")) {
            for (int port : new int[] {8800, 9999, 3128, 1080, 53, 1}) {
                String target = host + ":" + port;
                try (Socket socket = proxy.http(ProxyClient.connect(target))) {
                    assertThat(ProxyClient.head(socket))
                            .as(target)
                            .matches("(?s)HTTP/1.1 40[03].*");
                }
                assertThat(proxy.answer(get("http://" + target + "/")))
                        .as(target)
                        .matches("(?s)HTTP/1.1 40[03] .*");
                assertThat(proxy.socksReply(ProxyClient.byName(host, port)))
                        .as(target)
                        .isEqualTo(2);
            }
        }
        for (String address :
                List.of("127.0.0.1", "::1", "0.0.0.0", "::", "198.18.0.1", "fd67:6c62::1")) {
            assertThat(proxy.socksReply(ProxyClient.byAddress(address, 8800)))
                    .as(address)
                    .isEqualTo(2);
        }
        assertThat(own).allSatisfy(canary -> assertThat(canary.seen()).isEmpty());
        assertThat(internet.host().run("curl", "-sS", "-m", "8", "http://127.0.0.1:8800/me"))
                .startsWith("GET /me");
    }

    /// D9 by another door: what a name resolves to is judged all the same.
    @Test
    void nameThatTurnsPrivate_isNotDialled() throws Exception {
        internet.name("a.rebound.test", Internet.GOOD);
        assertThat(proxy.answer(get("http://a.rebound.test/"))).startsWith("HTTP/1.1 200");
        List<String> traps =
                List.of(Internet.METADATA, Internet.INTRANET, Internet.HOST, "127.0.0.1", "::1");
        for (int i = 0; i < traps.size(); i++) {
            String name = "trap" + i + ".rebound.test";
            internet.name(name, traps.get(i));
            long before = internet.packets();
            assertThat(proxy.answer(get("http://" + name + "/")))
                    .as(traps.get(i))
                    .startsWith("HTTP/1.1 502")
                    .contains("no public address");
            assertThat(internet.packets()).as(traps.get(i)).isEqualTo(before);
        }
        nothingReached();
    }

    /// D31: a proxy belongs to one sandbox, because it is in no other's network.
    @Test
    void proxyOfAnotherSandbox_isOutOfReach() throws Exception {
        allowedWayLeadsOut();
        Door other = internet.door(doors, "two", EgressPolicy.DENY_ALL);
        ProxyClient there = new ProxyClient(other);
        assertThat(there.answer(get("http://good.test/"))).startsWith("HTTP/1.1 403");
        assertThat(there.socksReply(ProxyClient.byName("good.test", 80))).isEqualTo(2);
        for (Zone zone : List.of(internet.host(), internet.out())) {
            assertThat(
                            zone.run(
                                    "sh",
                                    "-c",
                                    "for p in 3128 1080; do timeout 2 bash -c \"exec"
                                            + " 3<>/dev/tcp/198.18.0.1/$p\" 2>&1 && echo open; done;"
                                            + " true"))
                    .doesNotContain("open");
        }
        assertThat(good.seen()).isEmpty();
        allowedWayLeadsOut();
    }

    /// D32: a name and a password, headers, and a relay inside change no verdict.
    @Test
    void whatAClientSaysAboutItself_changesNoVerdict() throws Exception {
        for (String login : List.of("", "root:x@", "two:two@", "good.test:good.test@")) {
            String http = "http://" + login + "proxy.glovebox.internal:3128";
            String socks = "socks5h://" + login + "proxy.glovebox.internal:1080";
            for (String by : List.of(http, socks)) {
                assertThat(inside.curlBy(by, "http://good.test/").output()).endsWith("200");
                assertThat(inside.curlBy(by, "-f", "http://evil.test/").exit()).isNotZero();
            }
        }
        assertThat(good.seen())
                .isNotEmpty()
                .allSatisfy(seen ->
                        assertThat(seen.headers())
                                .doesNotContainKeys("Proxy-authorization", "Proxy-connection"));
        Process relay =
                inside.start(
                        "socat",
                        "TCP-LISTEN:4444,bind=127.0.0.1,fork,reuseaddr",
                        "TCP:198.18.0.1:3128");
        internet.closedLater(relay::destroyForcibly);
        await().untilAsserted(() ->
                assertThat(inside.curlBy("http://127.0.0.1:4444", "http://good.test/").output())
                        .endsWith("200"));
        assertThat(inside.curlBy("http://127.0.0.1:4444", "http://evil.test/").output())
                .contains("Glovebox refused")
                .endsWith("403");
        nothingReached();
    }

    /// D25: a second request on a connection never rides on the verdict of the first.
    @Test
    void requestBehindAnother_isNotServedOnItsVerdict() throws Exception {
        for (String second :
                List.of(
                        get("http://evil.test/second"),
                        get("http://good.test/second"),
                        get("/second"),
                        ProxyClient.connect("evil.test:80") + get("/second"),
                        "GET /second HTTP/1.1\r\nHost: evil.test\r\n\r\n")) {
            good.seen().clear();
            String answer = proxy.answer(get("http://good.test/first") + second);
            assertThat(answer).startsWith("HTTP/1.1 200").containsOnlyOnce("HTTP/1.1");
            assertThat(answer).containsIgnoringCase("connection: close");
            assertThat(good.seen()).extracting(FakeWeb.Seen::line).containsExactly("GET /first");
        }
        nothingReached();
    }

    /// D34: what is no request to a proxy is told so, and leads nowhere.
    @Test
    void otherForms_areRefusedWithAPage() throws Exception {
        allowedWayLeadsOut();
        long before = internet.packets();
        for (String line :
                List.of(
                        "GET / HTTP/1.1",
                        "GET * HTTP/1.1",
                        "OPTIONS * HTTP/1.1",
                        "GET good.test:80 HTTP/1.1",
                        "GET https://good.test/ HTTP/1.1",
                        "GET ftp://good.test/ HTTP/1.1",
                        "GET file:///etc/passwd HTTP/1.1",
                        "GET gopher://good.test/ HTTP/1.1",
                        "GET http://user@good.test/ HTTP/1.1",
                        "GET http://good.test/#x HTTP/1.1",
                        "GET http://good.test:080/ HTTP/1.1",
                        "GET http://good.test:65616/ HTTP/1.1",
                        "GET http://good.test HTTP/2.0",
                        "GET http://good.test/",
                        "GET  http://good.test/ HTTP/1.1",
                        "CONNECT good.test:80/ HTTP/1.1",
                        "CONNECT http://good.test:80 HTTP/1.1",
                        "CONNECT good.test HTTP/1.1",
                        "CONNECT /good.test:80 HTTP/1.1",
                        "CONNECT good.test:080 HTTP/1.1",
                        "CONNECT good.test:80 HTTP/2.0",
                        "CONNECT good.test:80",
                        "PRI * HTTP/2.0")) {
            assertThat(proxy.answer(line + "\r\nHost: good.test\r\n\r\n"))
                    .as(line)
                    .startsWith("HTTP/1.1 400")
                    .contains("Glovebox refused this proxy request");
        }
        for (String head :
                List.of(
                        "CONNECT good.test:80 HTTP/1.1\r\nHost: evil.test:80",
                        "CONNECT good.test:80 HTTP/1.1\r\nHost: good.test\r\nHost: good.test",
                        "CONNECT good.test:80 HTTP/1.1\r\nContent-Length: 5",
                        "CONNECT good.test:80 HTTP/1.1\r\nTransfer-Encoding: chunked",
                        "CONNECT good.test:80 HTTP/1.1\r\nA b: c",
                        "CONNECT good.test:80 HTTP/1.1\nHost: good.test")) {
            assertThat(proxy.answer(head + "\r\n\r\n")).as(head).startsWith("HTTP/1.1 400");
        }
        for (String answer :
                List.of(
                        proxy.answer("TRACE http://good.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n"),
                        proxy.answer("GET http://good.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n"),
                        proxy.answer(
                                "GET http://evil.test/ HTTP/1.1\r\nHost: good.test\r\n\r\n"))) {
            assertThat(answer).startsWith("HTTP/1.1 403");
        }
        assertThat(internet.packets()).isEqualTo(before);
        nothingReached();
    }
}
