package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/// Request smuggling: every case of `requests.txt` sent as it stands through a door to nginx, to
/// haproxy and to Python's server, and once more by the door's proxy. What the door lets through
/// all three must have understood alike, and nobody may have understood a request that the door did
/// not judge; the servers' own logs tell.
class SmugglingAttackIT {
    @TempDir static Path directory;
    private static final List<RealServer> SERVERS = new ArrayList<>();
    private static final Map<RealServer, Map<String, String>> ANSWERS = new LinkedHashMap<>();
    private static final Map<RealServer, List<String>> LOGS = new LinkedHashMap<>();
    private static List<RawRequest> cases;
    private static Doors doors;

    @BeforeAll
    static void sendEverything() throws Exception {
        List<RawRequest> dialled = RawRequest.all();
        Stream<RawRequest> proxied =
                dialled.stream().filter(each -> !each.isForProxies()).map(RawRequest::byProxy);
        cases = Stream.concat(dialled.stream(), proxied).toList();
        SERVERS.add(RealServer.nginx(directory));
        SERVERS.add(RealServer.haproxy(directory));
        SERVERS.add(RealServer.python(directory, "python"));
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")));
        try (ExecutorService threads = Executors.newFixedThreadPool(SERVERS.size())) {
            Map<RealServer, Future<Map<String, String>>> sent = new LinkedHashMap<>();
            for (RealServer server : SERVERS) {
                sent.put(server, threads.submit(() -> send(server)));
            }
            for (RealServer server : SERVERS) {
                ANSWERS.put(server, sent.get(server).get());
                LOGS.put(server, server.seen("the-last"));
            }
        }
    }

    private static Map<String, String> send(RealServer server) throws IOException {
        Door door =
                doors.open(
                        server.name(),
                        EgressPolicy.parse(
                                "rules: [{name: web, host: good.test, protocol: http, action: allow,"
                                        + " connect: '127.0.0.1:"
                                        + server.port()
                                        + "'}]"));
        InetAddress address =
                door.names().addressesOf(HostName.parse("good.test")).orElseThrow().four();
        Client client = new Client(door);
        Map<String, String> answers = new LinkedHashMap<>();
        for (RawRequest each : cases) {
            try (Socket socket =
                    each.proxied()
                            ? client.connect(ProxyClient.ADDRESS, 3128)
                            : client.connect(address, 80)) {
                answers.put(each.id(), answersTo(each, socket));
            }
        }
        return answers;
    }

    /// Sends, waits for as many answers as are due, then ends our side and reads what else comes.
    private static String answersTo(RawRequest each, Socket socket) throws IOException {
        StringBuilder answers = new StringBuilder();
        try {
            socket.getOutputStream().write(each.bytes().getBytes(StandardCharsets.ISO_8859_1));
            while (count(answers) < each.reaching()) {
                int next = socket.getInputStream().read();
                if (next < 0) {
                    break;
                }
                answers.append((char) next);
            }
            socket.shutdownOutput();
        } catch (SocketException e) {
            // the door has heard enough already
        } catch (SocketTimeoutException e) {
            return answers + "[nothing more]";
        }
        return answers + Client.rest(socket);
    }

    private static int count(CharSequence answers) {
        return answers.toString().split("HTTP/1.1 200", -1).length - 1;
    }

    @AfterAll
    static void stop() throws Exception {
        if (doors != null) {
            doors.close();
        }
        for (RealServer server : SERVERS) {
            server.close();
        }
    }

    @TestFactory
    Stream<DynamicTest> everyServerUnderstoodTheSame() {
        return cases.stream().map(each -> DynamicTest.dynamicTest(each.name(), () -> judge(each)));
    }

    private static void judge(RawRequest each) {
        List<String> first = understood(SERVERS.getFirst(), each);
        for (RealServer server : SERVERS) {
            String answer = ANSWERS.get(server).getOrDefault(each.id(), "");
            assertThat(understood(server, each))
                    .as("%s by %s, which answered %s", each.name(), server.name(), head(answer))
                    .hasSize(each.reaching())
                    .isEqualTo(first);
            assertThat(answer)
                    .as("%s by %s", each.name(), server.name())
                    .doesNotContain("[nothing more]");
            if (each.reaching() == 0) {
                assertThat(head(answer))
                        .as("%s by %s", each.name(), server.name())
                        .matches("(HTTP/1.1 (4\\d\\d|502) [^\r]*)?(\\[reset])?");
            } else {
                assertThat(count(answer)).isEqualTo(each.reaching());
            }
        }
    }

    private static String head(String answer) {
        return answer.lines().findFirst().orElse("");
    }

    private static List<String> understood(RealServer server, RawRequest each) {
        return LOGS.get(server).stream()
                .filter(line -> line.contains(each.id()) && line.startsWith("seen|200|"))
                .toList();
    }

    @Test
    void everyRequestInTheLogs_belongsToACase() {
        LOGS.forEach((server, lines) ->
                assertThat(lines)
                        .as(server.name())
                        .filteredOn(line -> line.startsWith("seen|200|"))
                        .allMatch(line -> line.matches(".*\\|[^|]*(case|proxy)\\d{3}.*")));
    }
}
