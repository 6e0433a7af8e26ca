package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.audit.AuditEvent;
import dev.glovebox.egress.lookup.LookupConfig;
import dev.glovebox.egress.onward.OnwardConfig;
import dev.glovebox.egress.onward.UpstreamProxy;
import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.protocol.egress.Cidr;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.credential.Source;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// A worker that dials through a proxy of its operator's: tinyproxy, microsocks and Dante of
/// Debian, and haproxy for TLS before one, on a private address. What the worker's machine dialled
/// is seen from outside, what the proxy was asked for in its log.
class UpstreamProxyIT {
    private static final String PASSWORD = "pw-hush-0123456789";
    private static final String POLICY =
            """
            rules:
              - {name: web, host: good.test, protocol: http, action: allow}
              - {name: tls, host: good.test, protocol: https, action: allow}
              - {name: raw, host: good.test, port: 81, protocol: tcp, action: allow}
              - {name: shut, host: good.test, port: 82, protocol: http, action: allow}
              - {name: wild, host: "*.wild.test", protocol: http, action: allow}
              - {name: evil, host: evil.test, protocol: http, action: allow}
              - {name: pinned, host: pinned.test, protocol: http, action: allow, connect: "10.0.0.5:80"}
              - {name: block, cidr: 192.0.2.0/24, port: 80, protocol: http, action: allow}
            """;
    private static final DoorLimits LIMITS =
            new DoorLimits(
                    256,
                    Duration.ofSeconds(4),
                    Duration.ofSeconds(10),
                    Duration.ofMinutes(10),
                    32 * 1024,
                    1024,
                    256,
                    Duration.ofSeconds(30));

    @RegisterExtension final Internet internet = new Internet();

    @TempDir Path directory;
    private final List<AuditEvent> records = new CopyOnWriteArrayList<>();
    private Path password;
    private FakeNameServer names;
    private FakeWeb good;
    private FakeWeb evil;
    private RealProxies proxies;
    private Door door;
    private Inside inside;

    @BeforeEach
    void open() throws Exception {
        password = Files.writeString(directory.resolve("password"), PASSWORD + "\n");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        good = internet.web(Internet.GOOD);
        evil = internet.web(Internet.EVIL);
        internet.closedLater(
                internet.out().enter(() -> new FakeWeb(InetAddress.ofLiteral(Internet.GOOD), 81)));
        names = internet.nameServer();
        names.addresses("good.test", 0, Internet.GOOD);
        names.addresses("evil.test", 0, Internet.EVIL);
        names.addresses("proxy.test", 0, RealProxies.ADDRESS);
        proxies = new RealProxies(internet, directory);
    }

    private UpstreamProxy proxy(UpstreamProxy.Kind kind, String address) {
        return new UpstreamProxy(
                kind,
                Endpoint.parse(address),
                Optional.of(
                        new UpstreamProxy.Login("glovebox", new Source.File(password.toString()))),
                UpstreamProxy.Resolve.WORKER,
                List.of());
    }

    private UpstreamProxy tinyproxy() {
        return proxy(UpstreamProxy.Kind.HTTP, "10.0.0.5:3128");
    }

    private void through(UpstreamProxy proxy) {
        through(EgressConfig.at(directory.resolve("doors")).withOnward(outside(proxy)));
    }

    private OnwardConfig outside(UpstreamProxy proxy) {
        InetSocketAddress server = new InetSocketAddress(InetAddress.ofLiteral(Internet.NAMES), 53);
        return OnwardConfig.DEFAULT
                .withLookups(
                        LookupConfig.DEFAULT
                                .withNameServers(List.of(server))
                                .withFiles(directory.resolve("none"), directory.resolve("none")))
                .withProxy(proxy);
    }

    private void through(EgressConfig config) {
        Doors doors =
                internet.doors(
                        config.withLimits(LIMITS)
                                .withAudit(event -> {
                                    records.add(event);
                                    return CompletableFuture.completedFuture(1L);
                                }));
        door = internet.door(doors, "one", EgressPolicy.parse(POLICY));
        inside = new Inside(door, directory);
    }

    private String get(String target) throws Exception {
        return inside.curl("http://" + target + "/x").output();
    }

    private void refusedWith(String target, String reason) throws Exception {
        assertThat(get(target))
                .endsWith("502")
                .contains(reason)
                .doesNotContain(RealProxies.ADDRESS)
                .doesNotContain("proxy.test")
                .doesNotContain("glovebox:")
                .doesNotContain(PASSWORD);
    }

    private boolean recorded(String text) {
        return records.stream()
                .filter(AuditEvent.Connection.class::isInstance)
                .map(AuditEvent.Connection.class::cast)
                .anyMatch(each -> each.ruling().reason().contains(text));
    }

    @Test
    void httpProxy_isGivenTheJudgedAddressAndNothingElseIsDialled() throws Exception {
        proxies.tinyproxy(PASSWORD);
        through(tinyproxy());
        assertThat(get("good.test")).isEqualTo("GET /x good.test\n200");
        assertThat(inside.curl("http://good.test:81/y").output())
                .isEqualTo("GET /y good.test:81\n200");
        assertThat(internet.dialled()).containsOnly("10.0.0.5 3128");
        assertThat(proxies.tinyproxyAsked()).containsExactly("203.0.113.10:80", "203.0.113.10:81");
        assertThat(good.seen())
                .allSatisfy(seen ->
                        assertThat(seen.headers()).doesNotContainKey("Proxy-authorization"));

        for (String trap : List.of(Internet.INTRANET, Internet.METADATA, Internet.HOST, "::1")) {
            names.addresses("a.wild.test", 0, trap);
            refusedWith("a.wild.test", "no public address");
        }
        names.addresses("a.wild.test", 0, Internet.METADATA, Internet.EVIL);
        assertThat(get("a.wild.test")).endsWith("200");
        assertThat(proxies.tinyproxyAsked()).hasSize(3).last().isEqualTo("203.0.113.66:80");
        assertThat(evil.seen()).hasSize(1);
        assertThat(internet.dialled()).containsOnly("10.0.0.5 3128");
    }

    @Test
    void addressThatRemembersAName_isGivenToTheProxyAsAnAddress() throws Exception {
        proxies.tinyproxy(PASSWORD);
        byte[] bytes = InetAddress.ofLiteral(Internet.GOOD).getAddress();
        through(
                new EgressConfig(
                                directory.resolve("doors"),
                                LIMITS,
                                _ -> List.of(InetAddress.getByAddress("evil.test", bytes)))
                        .withOnward(OnwardConfig.DEFAULT.withProxy(tinyproxy())));
        assertThat(get("good.test")).endsWith("200");
        assertThat(proxies.tinyproxyAsked()).containsExactly("203.0.113.10:80");
    }

    @Test
    void bodies_passWholeInBothDirections() throws Exception {
        proxies.tinyproxy(PASSWORD);
        through(tinyproxy());
        Path body = Files.write(directory.resolve("body"), new byte[5_000_000]);
        assertThat(inside.curl("-T", body.toString(), "http://good.test/up").output())
                .isEqualTo("PUT /up good.test 5000000\n200");
        assertThat(
                        inside.curl(
                                        "-o",
                                        "/dev/null",
                                        "-w",
                                        "%{size_download}",
                                        "http://good.test:81/big/20000000")
                                .output())
                .isEqualTo("20000000");
    }

    @Test
    void whatAProxyRefuses_isToldWithoutItsAddressOrThePassword() throws Exception {
        Process proxy = proxies.tinyproxy(PASSWORD);
        through(tinyproxy());
        assertThat(get("good.test")).endsWith("200");
        Files.writeString(password, "pw-old-9876543210");
        refusedWith("evil.test", "upstream proxy refused the worker's login");
        assertThat(recorded("(status 401)")).isTrue();
        Files.writeString(password, PASSWORD);
        assertThat(get("evil.test")).as("the file as it is now").endsWith("200");

        refusedWith("good.test:82", "upstream proxy did not let it through");
        names.addresses("a.wild.test", 0, "203.0.113.53");
        refusedWith("a.wild.test", "upstream proxy could not reach it");

        Programs.stop(proxy);
        refusedWith("a.wild.test", "upstream proxy cannot be reached");
        Files.delete(password);
        refusedWith("a.wild.test", "the password for the worker's upstream proxy cannot be had");
        assertThat(records.toString()).doesNotContain(PASSWORD);
    }

    @Test
    void hostileProxy_neverBecomesAnAnswerAndNeverHoldsADialUp() throws Exception {
        List<String> answers =
                List.of(
                        "",
                        "HTTP/1.1 407 No\r\nContent-Length: 99999999\r\n\r\n",
                        "HTTP/1.1 200\r\nX: " + "x".repeat(100_000),
                        "SSH-2.0-nothing\r\n",
                        "HTTP/1.1 302 Found\r\nLocation: http://evil.test/\r\nContent-Length: 0\r\n\r\n",
                        "\u0005\u00ff");
        for (int i = 0; i < answers.size(); i++) {
            answering(4000 + i, answers.get(i), false);
        }
        for (int i = 0; i < answers.size(); i++) {
            Path own = Files.createDirectory(directory.resolve("own" + i));
            boolean socks = answers.get(i).startsWith("\u0005");
            UpstreamProxy.Kind kind = socks ? UpstreamProxy.Kind.SOCKS5 : UpstreamProxy.Kind.HTTP;
            through(
                    EgressConfig.at(own.resolve("doors"))
                            .withOnward(outside(proxy(kind, "10.0.0.5:" + (4000 + i)))));
            refusedWith("good.test", "upstream proxy");
        }
        assertThat(good.seen()).isEmpty();
        assertThat(evil.seen()).isEmpty();
    }

    /// A proxy that answers so, whatever it is asked, and then says nothing more.
    private void answering(int port, String answer, boolean close) throws IOException {
        ServerSocket server =
                internet.out()
                        .enter(() ->
                                new ServerSocket(
                                        port, 50, InetAddress.ofLiteral(RealProxies.ADDRESS)));
        internet.closedLater(server);
        Thread.ofVirtual()
                .start(() -> {
                    while (!server.isClosed()) {
                        try {
                            Socket socket = internet.closedLater(server.accept());
                            Thread.ofVirtual().start(() -> converse(socket, answer, close));
                        } catch (IOException e) {
                            // closed
                        }
                    }
                });
    }

    private static void converse(Socket socket, String answer, boolean close) {
        try {
            byte[] room = new byte[8192];
            if (socket.getInputStream().read(room) > 0) {
                OutputStream out = socket.getOutputStream();
                out.write(answer.getBytes(StandardCharsets.ISO_8859_1));
                out.flush();
            }
            if (close) {
                socket.close();
            }
        } catch (IOException e) {
            // the other side has gone
        }
    }

    @Test
    void serverThatSpeaksFirst_isHeardThoughItsWordsCameWithTheProxysOwn() throws Exception {
        answering(4000, "HTTP/1.1 200 Connection established\r\n\r\nhello, I was first\n", true);
        through(proxy(UpstreamProxy.Kind.HTTP, "10.0.0.5:4000"));
        Inside.Result heard =
                inside.run("bash", "-c", "exec 3<>/dev/tcp/good.test/81; read -t 8 l <&3; echo $l");
        assertThat(heard.output()).isEqualTo("hello, I was first\n");
    }

    @Test
    void socksProxy_isGivenTheJudgedAddressAndThePassword() throws Exception {
        Process microsocks = proxies.microsocks("glovebox", PASSWORD);
        through(proxy(UpstreamProxy.Kind.SOCKS5, "10.0.0.5:" + RealProxies.MICROSOCKS));
        assertThat(get("good.test")).isEqualTo("GET /x good.test\n200");
        assertThat(inside.curl("http://good.test:81/y").output()).endsWith("200");
        names.addresses("a.wild.test", 0, Internet.METADATA);
        refusedWith("a.wild.test", "no public address");
        names.addresses("a.wild.test", 0, "203.0.113.53");
        refusedWith("a.wild.test", "upstream proxy could not reach it");
        Files.writeString(password, "pw-old-9876543210");
        refusedWith("evil.test", "upstream proxy refused the worker's login");
        assertThat(internet.dialled()).containsOnly("10.0.0.5 " + RealProxies.MICROSOCKS);
        Programs.stop(microsocks);
        refusedWith("evil.test", "upstream proxy cannot be reached");
    }

    @Test
    void socksProxyWithoutALogin_andWithRulesOfItsOwn() throws Exception {
        proxies.dante();
        through(
                new UpstreamProxy(
                        UpstreamProxy.Kind.SOCKS5,
                        Endpoint.parse("proxy.test:" + RealProxies.DANTE),
                        Optional.empty(),
                        UpstreamProxy.Resolve.WORKER,
                        List.of()));
        assertThat(get("good.test")).isEqualTo("GET /x good.test\n200");
        refusedWith("evil.test", "upstream proxy did not let it through");
        assertThat(proxies.log("dante.log")).contains("203.0.113.10.80", "203.0.113.66.80");
        assertThat(evil.seen()).isEmpty();
        assertThat(internet.dialled()).containsOnly("10.0.0.5 " + RealProxies.DANTE);
    }

    @Test
    void proxyThatSpeaksTls_isVerifiedBeforeItHearsAnything() throws Exception {
        TestAuthority authority = new TestAuthority("Fake Root");
        proxies.tinyproxy(PASSWORD);
        proxies.haproxy(authority.vouch("proxy.test"), authority.vouch("good.test"));
        Path roots = authority.write(directory.resolve("roots.pem"));
        through(
                EgressConfig.at(directory.resolve("doors"))
                        .withRoots(roots)
                        .withOnward(outside(proxy(UpstreamProxy.Kind.HTTPS, "proxy.test:3443"))));
        assertThat(get("good.test")).isEqualTo("GET /x good.test\n200");
        assertThat(inside.curl("http://good.test:81/big/3000000", "-o", "/dev/null").output())
                .endsWith("200");
        Files.copy(door.trustFiles().bundle(), directory.resolve("bundle.pem"));
        assertThat(
                        inside.curl(
                                        "--cacert",
                                        directory.resolve("bundle.pem").toString(),
                                        "https://good.test/tls")
                                .output())
                .as("TLS within TLS")
                .isEqualTo("GET /tls good.test\n200");
        assertThat(internet.dialled()).containsOnly("10.0.0.5 3443");

        List<String> asked = proxies.tinyproxyAsked();
        names.addresses("other.test", 0, RealProxies.ADDRESS);
        Path own = Files.createDirectory(directory.resolve("own"));
        through(
                EgressConfig.at(own.resolve("doors"))
                        .withRoots(roots)
                        .withOnward(outside(proxy(UpstreamProxy.Kind.HTTPS, "other.test:3443"))));
        refusedWith("good.test", "does not speak TLS with a certificate that is accepted");
        assertThat(proxies.tinyproxyAsked()).isEqualTo(asked);
    }

    @Test
    void whatIsDirect_isDialledPastTheProxyAndJudgedAllTheSame() throws Exception {
        proxies.tinyproxy(PASSWORD);
        UpstreamProxy base = tinyproxy();
        List<HostPattern> direct = new ArrayList<>();
        direct.add(HostPattern.parse("a.wild.test"));
        direct.add(new HostPattern.Block(Cidr.parse("203.0.113.66/32")));
        direct.add(new HostPattern.Block(Cidr.parse("10.0.0.0/8")));
        through(
                new UpstreamProxy(
                        base.kind(), base.address(), base.login(), base.resolve(), direct));
        names.addresses("a.wild.test", 0, Internet.GOOD);
        assertThat(get("a.wild.test")).endsWith("200");
        assertThat(get("evil.test")).endsWith("200");
        internet.web(Internet.INTRANET);
        assertThat(get("pinned.test")).endsWith("200");
        assertThat(proxies.tinyproxyAsked()).isEmpty();
        assertThat(get("good.test")).endsWith("200");
        assertThat(proxies.tinyproxyAsked()).containsExactly("203.0.113.10:80");
        assertThat(internet.dialled())
                .containsExactlyInAnyOrder(
                        "203.0.113.10 80", "203.0.113.66 80", "10.0.0.5 80", "10.0.0.5 3128");

        names.addresses("b.wild.test", 0, "10.0.0.7");
        refusedWith("b.wild.test", "no public address");
        assertThat(internet.dialled()).noneMatch(each -> each.startsWith("10.0.0.7"));
    }

    @Test
    void proxyThatLooksNamesUpItself_isGivenTheNameAndAddressesAreJudgedHere() throws Exception {
        proxies.names("203.0.113.10 named.wild.test good.test\n10.0.0.5 inside.wild.test\n");
        proxies.tinyproxy(PASSWORD);
        UpstreamProxy base = tinyproxy();
        through(
                new UpstreamProxy(
                        base.kind(),
                        base.address(),
                        base.login(),
                        UpstreamProxy.Resolve.PROXY,
                        List.of(HostPattern.parse("evil.test"))));
        assertThat(get("named.wild.test")).endsWith("200");
        assertThat(proxies.tinyproxyAsked()).containsExactly("named.wild.test:80");
        assertThat(names.asked()).isEmpty();
        assertThat(get("evil.test")).as("direct, so looked up here").endsWith("200");
        assertThat(names.asked()).containsOnly("evil.test. A", "evil.test. AAAA");

        FakeWeb own = internet.webOfHost(Internet.HOST, 80);
        assertThat(get("192.0.2.2")).as("a literal of this host").endsWith("502");
        assertThat(own.seen()).isEmpty();
        for (String literal : List.of(Internet.INTRANET, Internet.METADATA)) {
            assertThat(get(literal)).as(literal).endsWith("403");
        }
        FakeWeb intranet = internet.web(Internet.INTRANET);
        assertThat(get("inside.wild.test"))
                .as("what the operator gives up: the proxy leads wherever it likes")
                .endsWith("200");
        assertThat(intranet.seen()).hasSize(1);
        assertThat(proxies.tinyproxyAsked()).doesNotContain("192.0.2.2:80").hasSize(2);
    }
}
