package dev.glovebox.brain;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.node.ObjectNode;

/// A Messages API on loopback that answers from a list and refuses what the real one refuses. Every
/// request is checked; [#faults] must stay empty.
final class FakeMessages implements AutoCloseable {
    static final Secret KEY = new Secret("sk-test-0123456789");

    /// One way to answer.
    sealed interface Answer {}

    /// A proper stream, event by event.
    record Stream(List<ObjectNode> events) implements Answer {}

    /// The beginning of a stream; then the connection is cut off.
    record Cut(List<ObjectNode> events) implements Answer {}

    /// The beginning of a stream, then silence until the other side goes.
    record Hang(List<ObjectNode> events) implements Answer {}

    /// Any text as the body of a stream.
    record Raw(String body) implements Answer {}

    /// An error status with its envelope.
    record Refused(int status, String type, String message, Map<String, String> headers)
            implements Answer {}

    /// The connection is dropped before any reply.
    record Dropped() implements Answer {}

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final ConcurrentLinkedQueue<Answer> answers = new ConcurrentLinkedQueue<>();
    private final List<ObjectNode> requests = new CopyOnWriteArrayList<>();
    private final List<String> faults = new CopyOnWriteArrayList<>();
    private final CountDownLatch streaming = new CountDownLatch(1);
    private final CountDownLatch gone = new CountDownLatch(1);

    FakeMessages() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.setExecutor(threads);
        server.start();
    }

    FakeMessages then(Answer answer) {
        answers.add(answer);
        return this;
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /// The bodies of all good requests, in order.
    List<ObjectNode> requests() {
        return requests;
    }

    /// What was wrong with requests.
    List<String> faults() {
        return faults;
    }

    /// Waits until a [Hang] has sent its beginning.
    boolean awaitStreaming() throws InterruptedException {
        return streaming.await(10, TimeUnit.SECONDS);
    }

    /// Waits until the client of a [Hang] has gone.
    boolean awaitGone() throws InterruptedException {
        return gone.await(10, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body =
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            List<String> wrong = new ArrayList<>(headers(exchange));
            wrong.addAll(RequestCheck.faults(body));
            faults.addAll(wrong);
            Answer answer = answers.poll();
            if (!wrong.isEmpty() || answer == null) {
                refuse(
                        exchange,
                        new Refused(
                                400, "invalid_request_error", String.join("; ", wrong), Map.of()));
                return;
            }
            requests.add(Json.read(body, ObjectNode.class));
            answer(exchange, answer);
        }
    }

    private void answer(HttpExchange exchange, Answer answer) throws IOException {
        switch (answer) {
            case Stream(List<ObjectNode> events) -> send(exchange, sse(events), 0);
            case Cut(List<ObjectNode> events) -> send(exchange, sse(events), 4096);
            case Raw(String body) -> send(exchange, body, 0);
            case Hang(List<ObjectNode> events) -> hang(exchange, sse(events));
            case Refused refused -> refuse(exchange, refused);
            case Dropped() -> {}
        }
    }

    /// A length that promises more than comes makes the end of the connection a broken one.
    private static void send(HttpExchange exchange, String body, int missing) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("content-type", "text/event-stream");
        exchange.sendResponseHeaders(200, bytes.length + missing);
        exchange.getResponseBody().write(bytes);
        exchange.getResponseBody().flush();
    }

    private void hang(HttpExchange exchange, String body) throws IOException {
        exchange.getResponseHeaders().set("content-type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body.getBytes(StandardCharsets.UTF_8));
            out.flush();
            streaming.countDown();
            while (!gone.await(20, TimeUnit.MILLISECONDS)) {
                out.write(
                        "event: ping\ndata: {\"type\":\"ping\"}\n\n"
                                .getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } catch (IOException e) {
            gone.countDown();
            throw e;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void refuse(HttpExchange exchange, Refused refused) throws IOException {
        ObjectNode envelope = Json.object().put("type", "error");
        envelope.putObject("error").put("type", refused.type()).put("message", refused.message());
        byte[] bytes = Json.writeBytes(envelope.put("request_id", "req_fake"));
        exchange.getResponseHeaders().set("content-type", "application/json");
        exchange.getResponseHeaders().set("request-id", "req_fake");
        refused.headers().forEach(exchange.getResponseHeaders()::set);
        exchange.sendResponseHeaders(refused.status(), bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private static List<String> headers(HttpExchange exchange) {
        List<String> wrong = new ArrayList<>();
        var headers = exchange.getRequestHeaders();
        if (!exchange.getRequestMethod().equals("POST")
                || !exchange.getRequestURI().toString().equals("/v1/messages")) {
            wrong.add("path: " + exchange.getRequestMethod() + " " + exchange.getRequestURI());
        }
        String key = headers.getFirst("x-api-key");
        String bearer = headers.getFirst("authorization");
        if (!(KEY.reveal().equals(key) && bearer == null)
                && !(("Bearer " + KEY.reveal()).equals(bearer) && key == null)) {
            wrong.add("credentials: exactly one of x-api-key and authorization");
        }
        String type = headers.getFirst("content-type");
        if (type == null || !type.startsWith("application/json")) {
            wrong.add("content-type: " + type);
        }
        String version = headers.getFirst("anthropic-version");
        if (version == null || !version.matches("20\\d\\d-\\d\\d-\\d\\d")) {
            wrong.add("anthropic-version: " + version);
        }
        return wrong;
    }

    private static String sse(List<ObjectNode> events) {
        StringBuilder text = new StringBuilder();
        for (ObjectNode event : events) {
            text.append("event: ").append(event.path("type").asString("")).append('\n');
            text.append("data: ").append(Json.write(event)).append("\n\n");
        }
        return text.toString();
    }
}
