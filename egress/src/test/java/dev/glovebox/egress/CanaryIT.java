package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// E16, J1, J12: ten secrets are used in every way there is, rotated, echoed, refused and broken,
/// with everything logged that can be; afterwards none of them stands, in eight spellings, in any
/// log record, audit record, denial, page or file that is shown.
@SuppressWarnings("StringConcatToTextBlock") // a text block has no CRLF
class CanaryIT {
    private static final List<String> CREDENTIALS =
            List.of(
                    "bearer",
                    "basic",
                    "header",
                    "query",
                    "holder",
                    "command",
                    "aws",
                    "certificate",
                    "broken",
                    "spent");
    private static final String PLACEHOLDER = "glovebox-3f9c2a7b5d1e4860a9b7";

    @TempDir Path directory;
    private final Map<String, String> canaries = new LinkedHashMap<>();
    private final Logs logs = new Logs();
    private final List<String> shown = new ArrayList<>();
    private DoorRig rig;
    private AuditLog audit;
    private RawServer secure;
    private RawServer clear;
    private Door door;

    /// All records of this process, as an operator would read them.
    private static final class Logs extends Handler {
        private final List<String> records = new CopyOnWriteArrayList<>();
        private final SimpleFormatter format = new SimpleFormatter();
        private final Logger root = Logger.getLogger("");
        private final Logger netty = Logger.getLogger("io.netty"); // kept, or its level is lost
        private final Map<Handler, Level> before = new LinkedHashMap<>();

        void begin() {
            for (Handler each : root.getHandlers()) {
                before.put(each, each.getLevel());
                each.setLevel(Level.OFF);
            }
            setLevel(Level.ALL);
            root.addHandler(this);
            root.setLevel(Level.ALL);
            netty.setLevel(Level.ALL);
        }

        void end() {
            root.removeHandler(this);
            root.setLevel(Level.INFO);
            netty.setLevel(null);
            before.forEach(Handler::setLevel);
        }

        @Override
        public void publish(LogRecord record) {
            records.add(format.format(record));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }

    @BeforeEach
    void open() throws Exception {
        logs.begin();
        for (String name :
                List.of(
                        "bearer", "basic", "header", "query", "holder", "command", "aws", "token",
                        "rotated")) {
            canaries.put(name, "canary-%s/q+\"0123456789~=".formatted(name));
        }
        audit = AuditLog.open(AuditConfig.at(directory.resolve("audit")));
        rig = new DoorRig(directory, usual -> usual.withAudit(audit));
        TestAuthority.Identity client = rig.internet().vouch("robot.test");
        canaries.put(
                "certificate",
                Base64.getEncoder()
                        .encodeToString(client.keys().getPrivate().getEncoded())
                        .substring(20, 60));
        Files.writeString(directory.resolve("chain"), Nginx.pem(client.chain().toArray()));
        rig.secret("key", Nginx.pem(client.keys().getPrivate()));
        for (Map.Entry<String, String> each : canaries.entrySet()) {
            rig.secret(each.getKey(), each.getValue());
        }
        secure =
                new RawServer(
                        rig.internet().vouch("*.test").context().getServerSocketFactory(),
                        CanaryIT::serve);
        clear = new RawServer(CanaryIT::serve);
        door = rig.open("one", policy());
    }

    @AfterEach
    void close() throws Exception {
        logs.end();
        rig.close();
        audit.close();
        secure.close();
        clear.close();
    }

    private String policy() {
        StringBuilder text = new StringBuilder("rules:\n");
        for (String name : CREDENTIALS) {
            text.append(
                    "  - {name: %1$s, host: %1$s.test, protocol: https, action: allow, connect: '127.0.0.1:%2$d', credential: %1$s}\n"
                            .formatted(name, secure.port()));
            text.append(
                    "  - {name: %1$s-clear, host: %1$s.test, protocol: http, action: allow, connect: '127.0.0.1:%2$d', credential: %1$s%3$s}\n"
                            .formatted(
                                    name,
                                    clear.port(),
                                    name.equals("certificate")
                                            ? ", port: 8080"
                                            : ", insecure-credential: true"));
            text.append(
                    "  - {name: %1$s-down, host: %1$s.test, port: 8443, protocol: https, action: allow, connect: '127.0.0.1:1', credential: %1$s}\n"
                            .formatted(name));
        }
        String rules = text.toString().replaceAll("(?m)^  - \\{name: certificate-clear.*\n", "");
        return (rules
                        + """
                        credentials:
                          - {name: bearer, header: Authorization, format: "Bearer {}", source: {file: DIR/bearer}}
                          - {name: basic, basic: {user: me}, source: {file: DIR/basic}}
                          - {name: header, header: X-Key, format: "key={}", source: {file: DIR/header}}
                          - {name: query, query: {parameter: key}, source: {file: DIR/query}}
                          - {name: holder, placeholder: {value: PLACEHOLDER, bodies: true}, source: {file: DIR/holder}}
                          - {name: command, header: X-Key, format: "{}", source: {command: [/bin/cat, DIR/command], ttl: 1h}}
                          - {name: aws, aws-sigv4: {access-key-id: AKIA1, region: r, service: s, session-token: {file: DIR/token}}, source: {file: DIR/aws}}
                          - {name: certificate, client-certificate: {key: {file: DIR/key}}, source: {file: DIR/chain}}
                          - {name: broken, header: X-Key, format: "{}", source: {command: [/bin/sh, -c, "cat DIR/command; cat DIR/command >&2; exit 3"], ttl: 1h}}
                          - {name: spent, header: X-Key, format: "{}", source: {file: DIR/header}, budget: {requests: 1, per: 1h}}
                        """)
                .replace("PLACEHOLDER", PLACEHOLDER)
                .replace("DIR", directory.toString());
    }

    /// Repeats what it was sent, or breaks off.
    private static void serve(RawServer.Talk talk) throws IOException {
        for (String head = talk.head(); !head.isEmpty(); head = talk.head()) {
            String path = head.split(" ", 3)[1];
            int length =
                    head.contains("ontent-")
                            ? Integer.parseInt(
                                    head.replaceAll("(?is).*content-length: (\\d+).*", "$1"))
                            : 0;
            String body = talk.body(length);
            if (path.startsWith("/echo")) {
                talk.answer("X-Echo: " + head.replaceAll("\\s+", " ") + "\r\n", head + body);
            } else if (path.startsWith("/gzip")) {
                talk.answer("Content-Encoding: gzip\r\n", head);
            } else if (path.startsWith("/hang")) {
                return;
            } else if (path.startsWith("/part")) {
                talk.say("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + head);
                return;
            } else if (path.startsWith("/broken")) {
                talk.say("HTTP/1.1 200 OK\r\n" + head.replace("\r\n", "\0") + "\r\n\r\n");
                return;
            } else {
                talk.answer("", "ok " + body.length());
            }
        }
    }

    private void curl(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("-i", "-v"));
        all.addAll(List.of(arguments));
        shown.add(rig.curl(door, all.toArray(String[]::new)).output());
    }

    private void use(List<String> names) throws Exception {
        String signed =
                "Authorization: AWS4-HMAC-SHA256 Credential=X/20260101/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature=00";
        for (String name : names) {
            List<String> own =
                    switch (name) {
                        case "holder" ->
                                List.of("-H", "X-Key: " + PLACEHOLDER, "-d", "a=" + PLACEHOLDER);
                        case "aws" -> List.of("-H", signed, "-d", "a");
                        default -> List.of("-H", "X-Own: 1");
                    };
            for (String url :
                    List.of(
                            "https://" + name + ".test/ok?a=1",
                            "https://" + name + ".test/echo",
                            "http://" + name + ".test/echo",
                            "https://" + name + ".test/gzip",
                            "https://" + name + ".test/hang",
                            "https://" + name + ".test/part",
                            "https://" + name + ".test/broken",
                            "https://" + name + ".test:8443/down",
                            "https://" + name + ".test/a/../b",
                            "https://" + name + ".test:9443/denied")) {
                List<String> arguments = new ArrayList<>(own);
                arguments.addAll(List.of("--path-as-is", url));
                curl(arguments.toArray(String[]::new));
            }
            curl("-X", "TRACE", "https://" + name + ".test/ok");
            curl("--http1.1", "-H", "Host: other.test", "https://" + name + ".test/ok");
        }
        curl("https://holder.test/?k=" + PLACEHOLDER);
        curl("-H", "Content-Encoding: gzip", "-d", PLACEHOLDER, "https://holder.test/ok");
        curl("https://aws.test/ok?X-Amz-Signature=1");
        rig.secret("bearer", canaries.get("rotated"));
        curl("https://bearer.test/echo");
        rig.secret("bearer", canaries.get("bearer") + "\r\nX-More: 1");
        curl("https://bearer.test/echo");
        Files.delete(directory.resolve("bearer"));
        curl("https://bearer.test/echo");
        door.policy(EgressPolicy.DENY_ALL);
        curl("https://bearer.test/echo");
    }

    private static List<String> spellings(String secret) {
        byte[] raw = secret.getBytes(StandardCharsets.UTF_8);
        String base64 = Base64.getEncoder().withoutPadding().encodeToString(raw);
        return List.of(
                secret,
                base64.substring(0, base64.length() - 2),
                Base64.getUrlEncoder().withoutPadding().encodeToString(raw).substring(0, 20),
                Base64.getEncoder()
                        .encodeToString(("me:" + secret).getBytes(StandardCharsets.UTF_8))
                        .substring(0, 30),
                HexFormat.of().formatHex(raw),
                HexFormat.of().withUpperCase().formatHex(raw),
                URLEncoder.encode(secret, StandardCharsets.UTF_8),
                secret.replace("\"", "\\\""));
    }

    private void isNowhere(String where, List<String> texts) {
        for (Map.Entry<String, String> each : canaries.entrySet()) {
            for (String spelling : spellings(each.getValue())) {
                assertThat(texts)
                        .as("%s in %s", each.getKey(), where)
                        .noneMatch(text -> text.contains(spelling));
            }
        }
    }

    private static List<String> contents(Path tree) throws IOException {
        List<String> contents = new ArrayList<>();
        try (Stream<Path> files = Files.walk(tree)) {
            for (Path each :
                    files.filter(file ->
                                    Files.isRegularFile(file) && !file.toString().endsWith(".net"))
                            .toList()) {
                contents.add(Files.readString(each, StandardCharsets.ISO_8859_1));
            }
        }
        return contents;
    }

    @Test
    void noSecretIsLoggedRecordedOrShown_whateverIsLogged() throws Exception {
        use(CREDENTIALS);
        List<String> sent = new ArrayList<>(secure.heads());
        sent.addAll(clear.heads());
        for (String name : List.of("bearer", "header", "holder", "command", "token", "rotated")) {
            assertThat(sent)
                    .as("positive control, %s is used", name)
                    .anyMatch(head -> head.contains(canaries.get(name)));
        }
        assertThat(sent)
                .anyMatch(head -> head.contains("Signature=") && !head.contains("Signature=00"));
        assertThat(logs.records).as("records of Netty's and ours").hasSizeGreaterThan(20);
        List<String> denials =
                door.denialsSince(Instant.EPOCH).stream().map(Denial::toString).toList();
        assertThat(denials).hasSizeGreaterThan(20);
        assertThat(shown)
                .anyMatch(page -> page.contains("Glovebox"))
                .anyMatch(page -> page.contains("*****"));

        isNowhere("the log", logs.records);
        isNowhere("the denials", denials);
        isNowhere("what the sandbox was shown", shown);
        isNowhere("the audit log", contents(directory.resolve("audit")));
        isNowhere("files of the doors", contents(directory.resolve("doors")));
        isNowhere("the door in words", List.of("" + door.terms()));
    }

    /// B21, J10: what a sandbox does is for the audit log; the worker's own log it cannot fill.
    @Test
    void nothingASandboxDoes_isAWarningInTheLog() throws Exception {
        use(List.of("bearer", "holder"));
        for (int i = 0; i < 50; i++) {
            try (var socket = rig.tls(door, "bearer.test", 443, "h2")) {
                socket.getOutputStream().write(new byte[64]);
            } catch (IOException e) {
                // refused, as all is by now
            }
        }
        assertThat(logs.records).as("positive control").anyMatch(each -> each.contains("io.netty"));
        assertThat(logs.records)
                .filteredOn(each -> each.contains("\nWARNING:") || each.contains("\nSEVERE:"))
                .isEmpty();
        assertThat(shown)
                .noneMatch(page -> page.contains("Exception") || page.contains("at io.netty"));
    }
}
