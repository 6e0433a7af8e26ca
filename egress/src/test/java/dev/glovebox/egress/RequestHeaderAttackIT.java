package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Headers and methods by which a client would have a request do more than was allowed, strip what
/// the door adds, or add to it. The server notes every head as it came.
@SuppressWarnings("StringConcatToTextBlock") // a text block has no CRLF
class RequestHeaderAttackIT {
    private static final String SECRET = "sk-hush-0123456789";

    @TempDir Path directory;
    private DoorRig rig;
    private RawServer server;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        server =
                new RawServer(
                        rig.internet().vouch("good.test").context().getServerSocketFactory(),
                        RequestHeaderAttackIT::answer);
        door =
                rig.open(
                        "one",
                        """
                        rules:
                          - {name: api, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d", credential: key}
                          - {name: read, host: good.test, port: 8443, protocol: https, action: allow, connect: "127.0.0.1:%1$d",
                             methods: [GET, POST]}
                          - {name: query, host: good.test, port: 9443, protocol: https, action: allow, connect: "127.0.0.1:%1$d",
                             credential: parameter}
                        credentials:
                          - {name: key, header: X-Key, format: "{}", source: {file: %2$s}}
                          - {name: parameter, query: {parameter: key}, source: {file: %2$s}}
                        """
                                .formatted(server.port(), rig.secret("key", SECRET)));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        server.close();
    }

    private static void answer(RawServer.Talk talk) throws IOException {
        for (String head = talk.head(); !head.isEmpty(); head = talk.head()) {
            String path = head.split(" ", 3)[1];
            if (path.startsWith("/to/")) {
                String target = path.substring(4).replace("_", "/");
                talk.say(
                        "HTTP/1.1 307 Temporary Redirect\r\nLocation: %1$s\r\nRefresh: 0; url=%1$s\r\nContent-Location: %1$s\r\nContent-Length: 0\r\n\r\n"
                                .formatted(target));
            } else {
                talk.answer(
                        "Alt-Svc: h3=\":443\"\r\nProxy-Authenticate: Basic\r\nConnection: X-Hop\r\nX-Hop: 1\r\n",
                        "ok");
            }
        }
    }

    /// Sends one head to the port, after its line and host, and reads the answer.
    private String say(int port, String line, String headers) throws Exception {
        try (Socket socket = rig.tls(door, "good.test", port, "http/1.1")) {
            socket.getOutputStream()
                    .write(
                            (line
                                            + " HTTP/1.1\r\nHost: good.test:"
                                            + port
                                            + "\r\n"
                                            + headers
                                            + "\r\n")
                                    .getBytes(StandardCharsets.ISO_8859_1));
            return Client.response(socket);
        }
    }

    private String last() {
        return server.heads().getLast().toLowerCase(Locale.ROOT);
    }

    /// D39: what the client calls a matter of the connection does not take away what the door adds.
    @Test
    void connectionHeaderThatNamesOthers_stripsOnlyTheClientsOwn() throws Exception {
        for (String named :
                List.of(
                        "x-key",
                        "X-Key, x_key, Authorization, Cookie",
                        "host",
                        "content-length, host, x-key, accept-encoding, te, transfer-encoding",
                        "close, x-key",
                        "X-Key\r\nConnection: host, x-key")) {
            assertThat(
                            say(
                                    443,
                                    "POST /p",
                                    "Connection: "
                                            + named
                                            + "\r\nX-Own: 1\r\nContent-Length: 0\r\n"))
                    .as(named)
                    .startsWith("HTTP/1.1 200");
            assertThat(last())
                    .as(named)
                    .startsWith("post /p http/1.1\r\n")
                    .contains(
                            "host: good.test\r\n",
                            "x-key: " + SECRET,
                            "x-own: 1",
                            "content-length: 0",
                            "accept-encoding: identity")
                    .doesNotContain("connection:");
        }
        say(443, "GET /p", "Connection: X-Own, Keep-Alive\r\nX-Own: 1\r\nX-Other: 2\r\n");
        assertThat(last()).as("positive control").doesNotContain("x-own").contains("x-other: 2");
    }

    /// D39, D32: nothing that is meant for a proxy travels, in either direction.
    @Test
    void headersForProxies_areForTheDoorAlone() throws Exception {
        String answer =
                say(
                        443,
                        "GET /p",
                        "Proxy-Authorization: Basic eDp5\r\nProxy-Connection: keep-alive\r\nKeep-Alive: 9\r\nForwarded: for=1.2.3.4;host=evil.test\r\nX-Forwarded-Host: evil.test\r\nTE: gzip, trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nTrailer: X\r\nX-Own: 1\r\n");
        assertThat(last())
                .contains("x-own: 1", "te: trailers\r\n")
                .doesNotContain(
                        "proxy-",
                        "keep-alive",
                        "forwarded",
                        "evil",
                        "gzip",
                        "upgrade",
                        "http2-settings",
                        "trailer:");
        assertThat(answer)
                .startsWith("HTTP/1.1 200")
                .doesNotContainIgnoringCase("alt-svc")
                .doesNotContainIgnoringCase("proxy-authenticate")
                .doesNotContainIgnoringCase("x-hop");
    }

    /// E8: one value under the name, and it is the door's.
    @Test
    void ownCopiesOfTheCredential_inAnySpelling_doNotTravelBesideIt() throws Exception {
        say(
                443,
                "GET /p",
                "X-Key: mine\r\nx-key: mine\r\nX_Key: mine\r\nx_KEY: mine\r\nAuthorization: mine\r\nCookie: mine=1\r\nX-Own: mine\r\n");
        assertThat(last())
                .containsOnlyOnce("key:")
                .contains("x-key: " + SECRET, "x-own: mine")
                .containsOnlyOnce("mine");
        try (Http2Frames client = new Http2Frames(rig.tls(door, "good.test", 443, "h2"))) {
            client.request(
                    1,
                    true,
                    Http2Frames.get(
                            "good.test",
                            "/p",
                            "x-key",
                            "mine",
                            "x_key",
                            "mine",
                            "authorization",
                            "mine",
                            "cookie",
                            "mine=1",
                            "cookie",
                            "mine=2",
                            "x-own",
                            "mine"));
            assertThat(client.answer(1)).startsWith("200");
        }
        assertThat(last())
                .containsOnlyOnce("key:")
                .contains("x-key: " + SECRET, "x-own: mine")
                .containsOnlyOnce("mine");
        say(8443, "GET /p", "X-Key: mine\r\nAuthorization: mine\r\nCookie: mine=1\r\n");
        assertThat(last())
                .as("a rule without a credential")
                .contains("x-key: mine", "authorization: mine", "cookie: mine=1");
    }

    /// E8: nor behind the body.
    @Test
    void ownCopiesInTrailers_doNotTravel() throws Exception {
        for (int port : new int[] {443, 8443}) {
            say(
                    port,
                    "POST /p",
                    "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Key: mine\r\nX_Key: mine\r\nAuthorization: mine\r\nHost: evil.test\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nX-Own: kept\r\n");
        }
        rig.close();
        List<String> trailers =
                server.heads().stream().filter(head -> !head.startsWith("POST")).toList();
        assertThat(trailers)
                .hasSize(2)
                .allMatch(each -> each.contains("kept") && !each.contains("evil"));
        assertThat(trailers.getFirst()).doesNotContainIgnoringCase("key");
    }

    /// D28.
    @Test
    void anotherMethodInAHeader_isTakenAwayWhereMethodsAreRestricted() throws Exception {
        String overrides =
                "X-HTTP-Method-Override: DELETE\r\nX-HTTP-Method: DELETE\r\nX-Method-Override: DELETE\r\nX_HTTP_Method_Override: DELETE\r\nX-Original-Method: DELETE\r\n";
        assertThat(say(8443, "POST /p", overrides + "Content-Length: 0\r\n"))
                .startsWith("HTTP/1.1 200");
        assertThat(last()).startsWith("post /p").doesNotContain("delete");
        say(443, "POST /p", overrides + "Content-Length: 0\r\n");
        assertThat(last()).as("positive control: any method is allowed").contains("delete");
        int before = server.heads().size();
        for (String method :
                List.of(
                        "DELETE",
                        "PUT",
                        "PATCH",
                        "OPTIONS",
                        "HEAD",
                        "PROPFIND",
                        "QUERY",
                        "TRACE",
                        "CONNECT",
                        "get",
                        "Post",
                        "POST\tGET",
                        "G\u00c9T")) {
            assertThat(say(8443, method + " /p", "")).as(method).startsWith("HTTP/1.1 40");
        }
        for (String method : List.of("TRACE", "TRACK", "CONNECT")) {
            assertThat(say(443, method + " /p", ""))
                    .as("%s would show the credential", method)
                    .startsWith("HTTP/1.1 403");
        }
        assertThat(server.heads()).hasSize(before);
    }

    /// D29, E7: a redirect is the client's to follow, and judged like any other request.
    @Test
    void redirects_leadNowhereThatIsNotAllowedAndCarryNothing() throws Exception {
        for (String target :
                List.of(
                        "https:__evil.test_",
                        "__evil.test_x",
                        "http:__good.test_plain",
                        "http:__169.254.169.254_latest",
                        "https:__good.test:8443_landed")) {
            server.heads().clear();
            String seen = rig.curl(door, "-i", "https://good.test/to/" + target).output();
            assertThat(seen).contains("307", target.replace("_", "/")).doesNotContain(SECRET);
            assertThat(server.heads()).as("nobody but the client follows").hasSize(1);
            String status = rig.curl(door, "-L", "https://good.test/to/" + target).output();
            boolean allowed = target.endsWith("landed");
            assertThat(status.endsWith("200")).as(target).isEqualTo(allowed);
            assertThat(server.heads()).hasSize(allowed ? 3 : 2);
            assertThat(last().contains(SECRET)).as(target).isNotEqualTo(allowed);
        }
    }

    /// E17: what stands in a URL is told to the next host by none of the usual ways.
    @Test
    void credentialInTheQuery_isToldByNoReferer() throws Exception {
        say(9443, "GET /p?a=1&key=mine&%6bey=mine", "Referer: https://good.test/?key=mine\r\n");
        assertThat(last())
                .startsWith("get /p?a=1&key=" + SECRET + " ")
                .doesNotContain("referer", "mine");
        assertThat(rig.curl(door, "-i", "https://good.test:9443/to/x").output())
                .as("a location that repeats the query")
                .contains("307")
                .doesNotContain(SECRET);
    }
}
