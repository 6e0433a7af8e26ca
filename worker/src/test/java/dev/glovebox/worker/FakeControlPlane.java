package dev.glovebox.worker;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.work.WorkSecret;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A control plane for tests of the worker: one environment, real HTTP on loopback, everything in
/// memory, and faults on demand.
final class FakeControlPlane implements AutoCloseable {
    static final String ENVIRONMENT = "env_1";
    static final String KEY = "sk-ant-oat01-key";
    private static final String END = "";

    /// One request as it came.
    record Seen(String method, String path, String query, String bearer, String body) {
        boolean is(String wantedMethod, String pathEnd) {
            return method.equals(wantedMethod) && path.endsWith(pathEnd);
        }
    }

    /// A fault for the requests that a condition picks.
    record Fault(
            BiPredicate<String, String> picks,
            int status,
            Map<String, String> headers,
            boolean afterActing,
            AtomicInteger left) {}

    /// Somebody who follows a session.
    private record Stream(String session, LinkedBlockingQueue<String> frames) {}

    private record Item(String id, String type, String target, @Nullable String secret) {}

    private final HttpServer server;
    private final LinkedBlockingQueue<Item> queue = new LinkedBlockingQueue<>();
    private final Map<String, List<ObjectNode>> sessions = new LinkedHashMap<>();
    private final Map<String, String> statuses = new LinkedHashMap<>();
    private final Map<String, JsonNode> metadata = new LinkedHashMap<>();
    private final Map<String, String> lastBeats = new LinkedHashMap<>();
    private final Map<String, String> workStates = new LinkedHashMap<>();
    private final List<Stream> streams = new CopyOnWriteArrayList<>();
    private final List<Fault> faults = new CopyOnWriteArrayList<>();
    final List<Seen> seen = new CopyOnWriteArrayList<>();
    volatile long ttlSeconds = 300;
    volatile boolean loseLease;
    private int ids;
    private int beats;

    FakeControlPlane() {
        try {
            server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::handle);
        server.start();
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /// Settings of a worker that serves it.
    ///
    /// @param data its data directory
    WorkerConfig worker(Path data) {
        return WorkerConfig.of(address(), ENVIRONMENT, new Secret(KEY), data);
    }

    synchronized void session(String id) {
        sessions.put(id, new ArrayList<>());
        statuses.put(id, "running");
    }

    /// Gives a session metadata, as JSON with single quotes.
    synchronized void metadata(String id, String json) {
        metadata.put(id, Json.tree(json.replace('\'', '"')));
    }

    synchronized void status(String id, String status) {
        statuses.put(id, status);
    }

    /// Puts a work item for a session into the queue, with a token of its own.
    String enqueue(String session) {
        String token = new WorkSecret(new Secret("sk-ant-req-" + session)).encode();
        return enqueue("session", session, token);
    }

    synchronized String enqueue(String type, String target, @Nullable String secret) {
        String id = "work_" + ++ids;
        workStates.put(id, "queued");
        queue.add(new Item(id, type, target, secret));
        return id;
    }

    synchronized String workState(String id) {
        return workStates.getOrDefault(id, "gone");
    }

    synchronized void stopWork(String id) {
        workStates.put(id, "stopping");
    }

    /// Appends an event, given as JSON with single quotes, and publishes it.
    ///
    /// @return its id
    String emit(String session, String json) {
        return append(session, (ObjectNode) Json.tree(json.replace('\'', '"')));
    }

    private synchronized String append(String session, ObjectNode event) {
        if (event.get("id") == null) {
            event.put("id", "sevt_" + ++ids);
        }
        event.put("processed_at", "2026-11-21T00:00:00Z");
        sessions.getOrDefault(session, new ArrayList<>()).add(event);
        publish(session, event);
        return event.path("id").stringValue();
    }

    /// Publishes an event again that is in the history already.
    synchronized void repeat(String session, String id) {
        sessions.getOrDefault(session, List.of()).stream()
                .filter(e -> e.path("id").asString("").equals(id))
                .forEach(e -> publish(session, e));
    }

    String toolUse(String session, String command) {
        ObjectNode event =
                Json.object()
                        .put("type", "agent.tool_use")
                        .put("name", "bash")
                        .put("evaluated_permission", "allow");
        event.putObject("input").put("command", command);
        return append(session, event);
    }

    void endTurn(String session) {
        emit(session, "{'type':'session.status_idle','stop_reason':{'type':'end_turn'}}");
    }

    /// The texts of all results of a call.
    synchronized List<String> results(String session, String call) {
        return sessions.getOrDefault(session, List.of()).stream()
                .filter(e -> e.path("type").asString("").equals("user.tool_result"))
                .filter(e -> e.path("tool_use_id").asString("").equals(call))
                .map(e -> e.path("content").path(0).path("text").asString(""))
                .toList();
    }

    /// Lets requests fail.
    ///
    /// @param status 0 = the connection is cut
    /// @param afterActing whether the server has done what it was asked before it fails
    void fail(String method, String pathEnd, int status, int times, boolean afterActing) {
        fail(method, pathEnd, status, times, afterActing, Map.of());
    }

    void fail(
            String method,
            String pathEnd,
            int status,
            int times,
            boolean afterActing,
            Map<String, String> headers) {
        faults.add(
                new Fault(
                        (m, p) -> m.equals(method) && p.endsWith(pathEnd),
                        status,
                        headers,
                        afterActing,
                        new AtomicInteger(times)));
    }

    void cutStreams() {
        streams.forEach(s -> s.frames.add(END));
    }

    int openStreams() {
        return streams.size();
    }

    long count(String method, String pathEnd) {
        return seen.stream().filter(s -> s.is(method, pathEnd)).count();
    }

    @Override
    public void close() {
        cutStreams();
        server.stop(0);
    }

    private void publish(String session, ObjectNode event) {
        String type = event.path("type").stringValue();
        streams.stream()
                .filter(s -> s.session.equals(session))
                .forEach(s ->
                        s.frames.add("event: " + type + "\ndata: " + Json.write(event) + "\n\n"));
    }

    private void handle(HttpExchange exchange) throws IOException {
        String method = exchange.getRequestMethod();
        String path = exchange.getRequestURI().getPath();
        String query =
                exchange.getRequestURI().getRawQuery() == null
                        ? ""
                        : URLDecoder.decode(
                                exchange.getRequestURI().getRawQuery(), StandardCharsets.UTF_8);
        String auth = exchange.getRequestHeaders().getFirst("authorization");
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        seen.add(
                new Seen(
                        method,
                        path,
                        query,
                        auth == null ? "" : auth.replace("Bearer ", ""),
                        body));
        Fault fault = fault(method, path);
        if (fault != null && !fault.afterActing) {
            answer(exchange, fault.status, "{}", fault.headers);
            return;
        }
        if (path.endsWith("/events/stream")) {
            stream(exchange, path);
            return;
        }
        Reply reply = act(method, path, query, body);
        if (fault != null) {
            answer(exchange, fault.status, "{}", fault.headers);
        } else {
            answer(exchange, reply.status, reply.body, Map.of());
        }
    }

    private synchronized @Nullable Fault fault(String method, String path) {
        for (Fault fault : faults) {
            if (fault.picks.test(method, path) && fault.left.getAndDecrement() > 0) {
                return fault;
            }
        }
        return null;
    }

    private record Reply(int status, String body) {}

    private Reply act(String method, String path, String query, String body) {
        String[] parts = path.split("/", -1);
        if (path.endsWith("/work/poll")) {
            return poll();
        }
        if (path.contains("/work/")) {
            return work(parts[5], parts[6], query);
        }
        return sessions(method, parts, body);
    }

    private Reply poll() {
        try {
            Item item = queue.poll(200, TimeUnit.MILLISECONDS);
            if (item == null) {
                return new Reply(200, "null");
            }
            ObjectNode work =
                    Json.object()
                            .put("id", item.id)
                            .put("type", "work")
                            .put("environment_id", ENVIRONMENT)
                            .put("state", "queued")
                            .put("created_at", "2026-11-21T00:00:00Z")
                            .put("secret", item.secret);
            work.putObject("data").put("type", item.type).put("id", item.target);
            work.putObject("metadata");
            return new Reply(200, Json.write(work));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Reply(200, "null");
        }
    }

    private synchronized Reply work(String id, String verb, String query) {
        if (verb.equals("heartbeat")) {
            return heartbeat(id, query);
        }
        workStates.put(id, verb.equals("ack") ? "starting" : "stopped");
        return new Reply(200, "{}");
    }

    private Reply heartbeat(String id, String query) {
        String state = workState(id);
        String last = lastBeats.getOrDefault(id, "NO_HEARTBEAT");
        if (!state.startsWith("stop")) {
            if (loseLease || !query.equals("expected_last_heartbeat=" + last)) {
                return new Reply(
                        412,
                        "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"lost\"}}");
            }
            state = "active";
            workStates.put(id, state);
            last = "2026-11-21T00:00:" + ++beats + "+00:00";
            lastBeats.put(id, last);
        }
        ObjectNode beat =
                Json.object()
                        .put("type", "work_heartbeat")
                        .put("last_heartbeat", last)
                        .put("lease_extended", true)
                        .put("state", state)
                        .put("ttl_seconds", ttlSeconds);
        return new Reply(200, Json.write(beat));
    }

    private synchronized Reply sessions(String method, String[] parts, String body) {
        String id = parts[3];
        List<ObjectNode> events = sessions.get(id);
        if (events == null) {
            return new Reply(
                    404, "{\"error\":{\"type\":\"not_found_error\",\"message\":\"no session\"}}");
        }
        if (parts.length == 4) {
            ObjectNode session = Json.object().put("id", id).put("status", statuses.get(id));
            JsonNode own = metadata.get(id);
            if (own != null) {
                session.set("metadata", own);
            }
            return new Reply(200, Json.write(session));
        }
        if (method.equals("GET")) {
            ObjectNode page = Json.object();
            var data = page.putArray("data");
            events.forEach(data::add);
            page.putNull("next_page");
            return new Reply(200, Json.write(page));
        }
        JsonNode event = Json.tree(body).path("events").path(0);
        if (!results(id, event.path("tool_use_id").asString("")).isEmpty()) {
            return new Reply(
                    400,
                    "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"answered\"}}");
        }
        append(id, (ObjectNode) event);
        return new Reply(200, "{\"data\":[]}");
    }

    private void stream(HttpExchange exchange, String path) throws IOException {
        LinkedBlockingQueue<String> frames = new LinkedBlockingQueue<>();
        Stream stream = new Stream(path.split("/", -1)[3], frames);
        streams.add(stream);
        try (OutputStream out = exchange.getResponseBody()) {
            exchange.getResponseHeaders().add("content-type", "text/event-stream");
            exchange.sendResponseHeaders(200, 0);
            out.write(
                    (": " + path + "\n\nevent: ping\ndata: {}\n\n")
                            .getBytes(StandardCharsets.UTF_8));
            out.flush();
            for (String frame = frames.take(); !frame.equals(END); frame = frames.take()) {
                out.write(frame.getBytes(StandardCharsets.UTF_8));
                out.flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            streams.remove(stream);
        }
    }

    private static void answer(
            HttpExchange exchange, int status, String body, Map<String, String> headers)
            throws IOException {
        if (status == 0) {
            exchange.close();
            return;
        }
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().add("content-type", "application/json");
        headers.forEach(exchange.getResponseHeaders()::add);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }
}
