package dev.glovebox.sandbox.image;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// A registry that serves one image, except where a test gives it something else to do, and keeps
/// what it was asked with which credentials.
final class HostileRegistry implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Map<String, Answer> answers = new HashMap<>();
    private final Collection<String> requests = new ConcurrentLinkedQueue<>();

    interface Answer {
        void give(HttpExchange exchange) throws IOException;
    }

    private HostileRegistry(HttpServer server) {
        this.server = server;
    }

    /// @param image served as `name:tag`, whatever the names
    static HostileRegistry serving(BuiltImage image) throws IOException {
        HostileRegistry registry =
                new HostileRegistry(
                        HttpServer.create(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0));
        byte[] manifest = BuiltImage.bytes(image.manifest());
        registry.on("/v2/a/manifests/1", e -> send(e, 200, BuiltImage.MANIFEST, manifest));
        image.blobs()
                .forEach((digest, blob) ->
                        registry.on(
                                "/v2/a/blobs/" + digest,
                                e -> send(e, 200, "application/octet-stream", blob)));
        registry.server.setExecutor(registry.threads);
        registry.server.createContext("/", registry::handle);
        registry.server.start();
        return registry;
    }

    String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    /// Another name for the same place, and so another origin.
    String otherHost() {
        return "localhost:" + server.getAddress().getPort();
    }

    String reference() {
        return host() + "/a:1";
    }

    /// Answers for a path, before those of the image.
    HostileRegistry on(String path, Answer answer) {
        answers.put(path, answer);
        return this;
    }

    HostileRegistry manifest(byte[] content, String mediaType) {
        return on("/v2/a/manifests/1", e -> send(e, 200, mediaType, content));
    }

    HostileRegistry blob(Digest digest, Answer answer) {
        return on("/v2/a/blobs/" + digest, answer);
    }

    /// What an unchanged registry would answer for a path.
    Answer honest(String path) {
        return Optional.ofNullable(answers.get(path)).orElseThrow();
    }

    /// Lines of path, host it was asked by, and credentials.
    List<String> requests() {
        return List.copyOf(requests);
    }

    static void send(HttpExchange exchange, int status, String type, byte[] content)
            throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, content.length == 0 ? -1 : content.length);
        exchange.getResponseBody().write(content);
    }

    static void redirect(HttpExchange exchange, String location) throws IOException {
        exchange.getResponseHeaders().set("Location", location);
        exchange.sendResponseHeaders(307, -1);
    }

    static void demand(HttpExchange exchange, String challenge) throws IOException {
        exchange.getResponseHeaders().set("WWW-Authenticate", challenge);
        exchange.sendResponseHeaders(401, -1);
    }

    static Optional<String> credentials(HttpExchange exchange) {
        return Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization"));
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            requests.add(
                    exchange.getRequestHeaders().getFirst("Host")
                            + path
                            + " "
                            + credentials(exchange).orElse("none"));
            Answer answer = answers.get(path);
            if (answer == null) {
                send(exchange, 404, "text/plain", new byte[0]);
            } else {
                answer.give(exchange);
            }
        }
    }
}
