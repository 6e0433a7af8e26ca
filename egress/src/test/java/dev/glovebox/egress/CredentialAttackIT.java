package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.PolicyException;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Attacks on credentials over TLS and both versions of HTTP. The servers echo, and note every
/// head.
@SuppressWarnings("StringConcatToTextBlock") // a text block has no CRLF
class CredentialAttackIT {
    private static final String SECRET = "sk-hush+0123456789xyz";
    private static final String PLACEHOLDER = "glovebox-3f9c2a7b5d1e4860a9b7";

    @TempDir Path directory;
    private DoorRig rig;
    private RawServer one;
    private Http2Server two;
    private Door door;
    private Path key;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        one =
                new RawServer(
                        rig.internet().vouch("*.test").context().getServerSocketFactory(),
                        CredentialAttackIT::overOne);
        two =
                new Http2Server(
                        rig.internet().vouch("*.test"),
                        stream -> stream.answer(stream.header("x-key") + " " + stream.body()));
        key = rig.secret("key", SECRET);
        door = rig.open("one", policy());
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        one.close();
        two.close();
    }

    private String policy() {
        return """
        rules:
          - {name: header, host: header.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d", credential: header}
          - {name: basic, host: basic.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d", credential: basic}
          - {name: holder, host: holder.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d", credential: holder}
          - {name: plain, host: plain.test, protocol: https, action: allow, connect: "127.0.0.1:%1$d"}
          - {name: two, host: two.test, protocol: https, action: allow, connect: "127.0.0.1:%2$d", credential: header}
          - {name: two-holder, host: two-holder.test, protocol: https, action: allow, connect: "127.0.0.1:%2$d", credential: holder}
        credentials:
          - {name: header, header: X-Key, format: "{}", source: {file: %3$s}}
          - {name: basic, basic: {user: me}, source: {file: %3$s}}
          - {name: holder, placeholder: {value: %4$s, bodies: true}, source: {file: %3$s}}
        """
                .formatted(one.port(), two.port(), key, PLACEHOLDER);
    }

    private static void overOne(RawServer.Talk talk) throws IOException {
        for (String head = talk.head(); !head.isEmpty(); head = talk.head()) {
            String body = "";
            if (head.toLowerCase(Locale.ROOT).contains("chunked")) {
                body = talk.head();
            } else if (head.toLowerCase(Locale.ROOT).contains("content-length")) {
                body =
                        talk.body(
                                Integer.parseInt(
                                        head.replaceAll("(?is).*content-length: (\\d+).*", "$1")));
            }
            talk.answer("", "said " + head.replaceAll("(?is).*X-Guess: ([^\r]*).*", "$1") + body);
        }
    }

    private static List<String> bytes(String text) {
        return text.chars().mapToObj(Character::toString).toList();
    }

    private void rotate(String value) throws IOException {
        Path next = rig.secret("next", value);
        Files.move(next, key, StandardCopyOption.REPLACE_EXISTING);
    }

    /// E4.
    @Test
    void credentialInTheClear_needsTheOperatorsWord() throws Exception {
        String clear = policy().replace("protocol: https", "protocol: http");
        assertThatThrownBy(() -> EgressPolicy.parse(clear))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining("insecure-credential: true");
        assertThat(rig.curl(door, "https://header.test/").output()).endsWith("200");
        one.heads().clear();
        for (String host : List.of("header.test", "holder.test")) {
            assertThat(
                            rig.curl(door, "-H", "X-Key: " + PLACEHOLDER, "http://" + host + "/")
                                    .output())
                    .as("the host of a rule for https, over http")
                    .endsWith("403");
        }
        assertThat(one.heads()).isEmpty();
    }

    /// E9.
    @Test
    void secretThatBecomesALineBreak_isNotSent() throws Exception {
        for (String bad :
                List.of("a\r\nX-More: y", "a\nX-More: y", "a\rb", "a\0b", "\u00e9t\u00e9")) {
            rotate(bad);
            one.heads().clear();
            for (String host : List.of("header.test", "holder.test", "basic.test")) {
                String page =
                        rig.curl(door, "-H", "X-Key: " + PLACEHOLDER, "https://" + host + "/")
                                .output();
                boolean fine = host.startsWith("basic") && bad.startsWith("\u00e9");
                assertThat(page).as("%s at %s", bad, host).endsWith(fine ? "200" : "502");
                assertThat(one.heads()).as("%s at %s", bad, host).hasSize(fine ? 1 : 0);
                one.heads().clear();
            }
        }
        rotate(SECRET);
        assertThat(rig.curl(door, "https://header.test/").output())
                .as("positive control")
                .endsWith("200");
        assertThat(one.heads().getLast()).contains(SECRET).doesNotContain("X-More");
    }

    /// E10.
    @Test
    void placeholderCutIntoSingleBytes_isReplacedAndNeverSent() throws Exception {
        for (String host : List.of("holder.test", "two-holder.test")) {
            try (Http2Frames client = new Http2Frames(rig.tls(door, host, 443, "h2"))) {
                String[] fields = Http2Frames.get(host, "/");
                fields[1] = "POST";
                client.request(1, false, fields);
                for (String each : bytes("<" + PLACEHOLDER + PLACEHOLDER + ">")) {
                    client.send(Http2Frames.DATA, 0, 1, each.getBytes(StandardCharsets.US_ASCII));
                }
                client.send(Http2Frames.DATA, Http2Frames.END_STREAM, 1);
                assertThat(client.answer(1))
                        .as(host)
                        .startsWith("200")
                        .contains("*".repeat(SECRET.length()))
                        .doesNotContain(SECRET, PLACEHOLDER);
            }
        }
        try (Socket client = rig.tls(door, "holder.test", 443, "http/1.1")) {
            client.getOutputStream()
                    .write(
                            "POST / HTTP/1.1\r\nHost: holder.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                                    .getBytes(StandardCharsets.US_ASCII));
            for (String each : bytes(PLACEHOLDER)) {
                client.getOutputStream()
                        .write(("1\r\n" + each + "\r\n").getBytes(StandardCharsets.US_ASCII));
            }
            client.getOutputStream().write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(Client.rest(client))
                    .contains("200", "****")
                    .doesNotContain(SECRET, PLACEHOLDER);
        }
        assertThat(String.join("", one.heads())).contains(SECRET).doesNotContain(PLACEHOLDER);
        assertThat(rig.curl(door, "-d", PLACEHOLDER, "https://plain.test/").output())
                .as("positive control: elsewhere it is nothing")
                .contains(PLACEHOLDER);
    }

    /// E18: the next request has the new value, and nothing stays open for a rule that lost its
    /// credential.
    @Test
    void connectionsMadeForAnOldSecret_areNotUsedForANewOne_andGoWithTheRule() throws Exception {
        try (Socket client = rig.tls(door, "header.test", 443, "http/1.1");
                Http2Frames streams = new Http2Frames(rig.tls(door, "two.test", 443, "h2"))) {
            String request = "GET / HTTP/1.1\r\nHost: header.test\r\nX-Guess: x\r\n\r\n";
            int stream = 1;
            for (String value :
                    List.of("first-value-of-it", "second-value-of-it", "third-value-of-it")) {
                rotate(value);
                client.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
                String answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsaid x";
                assertThat(client.getInputStream().readNBytes(answer.length()))
                        .asString(StandardCharsets.US_ASCII)
                        .isEqualTo(answer);
                assertThat(one.heads().getLast()).contains(value);
                streams.request(stream, true, Http2Frames.get("two.test", "/"));
                assertThat(streams.answer(stream)).startsWith("200 ****");
                assertThat(two.seen().getLast().get("x-key")).hasToString(value);
                stream += 2;
            }
        }
        assertThat(one.connections()).as("one for each value").isEqualTo(3);
        assertThat(two.connections()).isEqualTo(3);
        door.policy(EgressPolicy.parse(policy().replace(", credential: header", "")));
        await().untilAsserted(() -> assertThat(one.open() + two.open()).isZero());
        assertThat(rig.curl(door, "https://header.test/").output()).endsWith("200");
        assertThat(one.heads().getLast()).doesNotContainIgnoringCase("x-key");
    }

    /// E23: a server that repeats a guess tells the sandbox nothing until all of it is right.
    @Test
    void partsOfASecretThatASandboxGuesses_areNotConfirmed() throws Exception {
        for (int length = 1; length < SECRET.length(); length++) {
            String part = SECRET.substring(0, length);
            String rest = SECRET.substring(length);
            assertThat(rig.curl(door, "-H", "X-Guess: " + part, "https://header.test/").output())
                    .isEqualTo("said " + part + "\n200");
            assertThat(rig.curl(door, "-H", "X-Guess: " + rest, "https://header.test/").output())
                    .isEqualTo("said " + rest + "\n200");
        }
        assertThat(rig.curl(door, "-H", "X-Guess: " + SECRET, "https://header.test/").output())
                .isEqualTo("said " + "*".repeat(SECRET.length()) + "\n200");
        assertThat(rig.curl(door, "-H", "X-Guess: " + SECRET, "https://plain.test/").output())
                .as("no credential, no comparison")
                .contains(SECRET);
    }
}
