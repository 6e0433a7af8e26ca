package dev.glovebox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// `kill -9` in the middle of everything: what was answered is there afterwards, and every session
/// goes on.
class KillTest {
    private static final int SESSIONS = 8;
    private static final int ANSWERS_BEFORE_THE_KILL = 60;

    /// The process that is killed.
    static final class Victim {
        private Victim() {}

        /// Runs until it is killed.
        ///
        /// @param args the data directory
        public static void main(String[] args) throws InterruptedException {
            ControlPlane plane =
                    ControlPlane.start(
                            new ServerConfig(
                                    Path.of(args[0]),
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
                            new LineBrain());
            PrintStream out =
                    new PrintStream(
                            new java.io.FileOutputStream(java.io.FileDescriptor.out),
                            true,
                            StandardCharsets.UTF_8);
            out.println("port " + plane.address().getPort());
            Thread.currentThread().join();
        }
    }

    @Test
    void killedProcessLosesNothingItAnswered() throws Exception {
        try (TestDesk desk = new TestDesk(new LineBrain())) {
            Talk talk = new Talk(desk);
            talk.agent("agent_t");
            var sessions = IntStream.range(0, SESSIONS).mapToObj(_ -> talk.session()).toList();
            desk.stop();
            Set<String> answered = ConcurrentHashMap.newKeySet();
            Process victim = start(desk.directory());
            try (HttpClient http = HttpClient.newHttpClient()) {
                URI base = URI.create("http://127.0.0.1:" + port(victim));
                AtomicInteger count = new AtomicInteger();
                var senders =
                        sessions.stream()
                                .map(s ->
                                        Thread.ofVirtual()
                                                .start(() ->
                                                        pour(
                                                                http,
                                                                base,
                                                                desk.apiKey(),
                                                                s,
                                                                answered,
                                                                count)))
                                .toList();
                Talk.until(() -> count.get() >= ANSWERS_BEFORE_THE_KILL, () -> count + " answers");
                victim.destroyForcibly();
                assertThat(victim.waitFor(60, TimeUnit.SECONDS)).isTrue();
                for (Thread sender : senders) {
                    sender.join();
                }
            } finally {
                victim.destroyForcibly();
            }
            desk.restart();
            Set<String> kept = ConcurrentHashMap.newKeySet();
            for (String session : sessions) {
                talk.awaitIdle(session, "end_turn");
                var events = talk.events(session);
                events.forEach(e -> kept.add(e.path("id").stringValue()));
                assertThat(events.stream().map(e -> e.path("processed_at").stringValue()))
                        .isSorted();
            }
            assertThat(answered).hasSizeGreaterThanOrEqualTo(ANSWERS_BEFORE_THE_KILL);
            assertThat(kept).containsAll(answered);
        }
    }

    private static Process start(Path directory) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty(
                                "surefire.test.class.path", System.getProperty("java.class.path")),
                        Victim.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private static String port(Process victim) throws IOException {
        BufferedReader out =
                new BufferedReader(
                        new InputStreamReader(victim.getInputStream(), StandardCharsets.UTF_8));
        String line = out.readLine();
        while (line != null && !line.startsWith("port ")) {
            line = out.readLine();
        }
        assertThat(line).isNotNull();
        return line == null ? "" : line.substring(5);
    }

    /// Sends messages until the process is gone.
    private static void pour(
            HttpClient http,
            URI base,
            String key,
            String session,
            Set<String> answered,
            AtomicInteger count) {
        HttpRequest request =
                HttpRequest.newBuilder(base.resolve("/v1/sessions/" + session + "/events"))
                        .header("authorization", "Bearer " + key)
                        .POST(
                                HttpRequest.BodyPublishers.ofString(
                                        "{\"events\":[" + Talk.message("say hello") + "]}"))
                        .build();
        try {
            while (true) {
                var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
                assertThat(answer.statusCode()).isEqualTo(200);
                Json.tree(answer.body())
                        .path("data")
                        .forEach(e -> answered.add(e.path("id").stringValue()));
                count.incrementAndGet();
            }
        } catch (IOException | InterruptedException _) {
            // the process is gone, which is what the sender waits for
        }
    }
}
