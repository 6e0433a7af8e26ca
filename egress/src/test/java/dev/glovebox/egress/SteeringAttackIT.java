package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.protocol.egress.EgressPolicy;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ServerSocketFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// D16, D19, E2, E5: a client that dials one host, names another in its hello, and asks for a
/// third. Two hosts are allowed, and the credential is bound to one of them: the other must never
/// see it, and neither may be asked for the other.
class SteeringAttackIT {
    private static final String SECRET = "sk-hush-0123456789";

    /// A way to ask: whom to dial, whom to name in the hello, and the request.
    private record Way(String dial, int port, Optional<String> sni, boolean http2, String request) {
        boolean isStraight(String host) {
            return dial.equals(host)
                    && port == 443
                    && (sni.isEmpty() || sni.get().equalsIgnoreCase(host))
                    && (http2
                            ? request.matches(host + "(:443)?")
                            : request.matches(
                                    "(?s)GET /x HTTP/1.1\r\nHost: "
                                            + host
                                            + "(:443)?\r\n(?!Host).*"));
        }
    }

    @RegisterExtension final Internet internet = new Internet();
    @TempDir Path directory;
    private RawServer good;
    private RawServer evil;
    private Door door;
    private Client client;

    @BeforeEach
    void open() throws Exception {
        TestAuthority authority = new TestAuthority("Fake Internet Root");
        SSLContext both = authority.vouch("*.test").context();
        good = server(both, Internet.GOOD);
        evil = server(both, Internet.EVIL);
        Path key = Files.writeString(directory.resolve("key"), SECRET);
        Doors doors =
                internet.doors(
                        new EgressConfig(
                                        directory.resolve("doors"),
                                        DoorLimits.DEFAULT,
                                        internet.resolver())
                                .withRoots(authority.write(directory.resolve("roots.pem"))));
        door =
                internet.door(
                        doors,
                        "one",
                        EgressPolicy.parse(
                                """
                                rules:
                                  - {name: api, host: good.test, protocol: https, action: allow, credential: key}
                                  - {name: evil, host: evil.test, protocol: https, action: allow}
                                credentials:
                                  - {name: key, header: X-Key, format: "{}", source: {file: %s}}
                                """
                                        .formatted(key)));
        client = new Client(door);
    }

    private RawServer server(SSLContext tls, String address) {
        ServerSocketFactory factory = tls.getServerSocketFactory();
        return internet.closedLater(
                internet.out()
                        .enter(() -> new RawServer(factory, address, 443, RawServer::echoes)));
    }

    private static List<Way> ways() {
        List<Way> ways = new ArrayList<>();
        for (String dial : List.of("good.test", "evil.test", Internet.GOOD, Internet.EVIL)) {
            for (String sni : List.of("good.test", "evil.test", "GOOD.test", "")) {
                Optional<String> named = Optional.of(sni).filter(each -> !each.isEmpty());
                ways.add(new Way(dial, 8443, named, true, "good.test"));
                for (String host : List.of("good.test", "evil.test", Internet.GOOD)) {
                    ways.add(new Way(dial, 443, named, true, host));
                    requests(host)
                            .forEach(each -> ways.add(new Way(dial, 443, named, false, each)));
                }
            }
        }
        return ways;
    }

    private static List<String> requests(String host) {
        String other = host.equals("evil.test") ? "good.test" : "evil.test";
        String line = "GET /x HTTP/1.1\r\n";
        String end = "Connection: close\r\n\r\n";
        return List.of(
                line + "Host: " + host + "\r\n" + end,
                line + "Host: " + host + "\r\nHost: " + other + "\r\n" + end,
                line + "Host: " + host + "\r\nX-Forwarded-Host: " + other + "\r\n" + end,
                "GET https://" + host + "/x HTTP/1.1\r\nHost: " + other + "\r\n" + end);
    }

    private String ask(Way way) throws Exception {
        InetAddress address =
                Character.isDigit(way.dial().charAt(0))
                        ? InetAddress.ofLiteral(way.dial())
                        : DoorRig.address(door, way.dial());
        SSLContext gullible = SSLContext.getInstance("TLS"); // so that no session is resumed
        gullible.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
        try (Socket socket = client.connect(address, way.port())) {
            SSLSocket tls =
                    (SSLSocket)
                            gullible.getSocketFactory()
                                    .createSocket(socket, (String) null, way.port(), false);
            SSLParameters parameters = tls.getSSLParameters();
            way.sni()
                    .ifPresent(name ->
                            parameters.setServerNames(
                                    List.of(
                                            new SNIHostName(
                                                    name.getBytes(StandardCharsets.US_ASCII)))));
            parameters.setApplicationProtocols(new String[] {way.http2() ? "h2" : "http/1.1"});
            tls.setSSLParameters(parameters);
            tls.startHandshake();
            if (way.http2()) {
                Http2Frames frames = new Http2Frames(tls);
                frames.request(1, true, Http2Frames.get(way.request(), "/x"));
                return frames.answer(1);
            }
            tls.getOutputStream().write(way.request().getBytes(StandardCharsets.US_ASCII));
            return Client.rest(tls);
        } catch (SSLException e) {
            return "alert: " + e.getMessage();
        } catch (IOException e) {
            return "cut: " + e.getMessage();
        } catch (IllegalStateException e) {
            assertThat(e).as("cut while it connected").hasCauseInstanceOf(SocketException.class);
            return "cut";
        }
    }

    @Test
    void whoeverIsNamedWhereverElse_onlyTheHostThatWasDialledIsAsked() throws Exception {
        int passed = 0;
        for (Way way : ways()) {
            good.heads().clear();
            evil.heads().clear();
            String answer = ask(way);
            if (way.isStraight("good.test") || way.isStraight("evil.test")) {
                passed++;
                boolean here = way.dial().equals("good.test");
                assertThat(answer).as("%s", way).contains("GET /x");
                assertThat((here ? good : evil).heads()).as("%s", way).hasSize(1);
                assertThat((here ? evil : good).heads()).as("%s", way).isEmpty();
            } else {
                assertThat(answer).as("%s", way).doesNotContain("GET /x");
                assertThat(good.heads()).as("%s", way).isEmpty();
                assertThat(evil.heads()).as("%s", way).isEmpty();
            }
            assertThat(evil.heads().toString()).as("%s", way).doesNotContain(SECRET);
            assertThat(good.heads())
                    .as("%s", way)
                    .allSatisfy(head ->
                            assertThat(head.toLowerCase(java.util.Locale.ROOT))
                                    .contains("host: good.test\r\n", "x-key: " + SECRET)
                                    .doesNotContain("evil"));
        }
        assertThat(passed).as("positive control").isEqualTo(15);
    }
}
