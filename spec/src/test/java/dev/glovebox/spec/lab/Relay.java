package dev.glovebox.spec.lab;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;

/// A bad network between a worker and the desk: passes everything on, answers some requests itself
/// with an overload, and cuts open streams on demand.
public final class Relay implements AutoCloseable {
    private static final Set<String> NOT_PASSED =
            Set.of("host", "connection", "content-length", "upgrade", "http2-settings");

    private final URI target;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Map<String, AtomicInteger> refusals = new ConcurrentHashMap<>();
    private final Map<HttpExchange, InputStream> streams = new ConcurrentHashMap<>();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger streamsOpened = new AtomicInteger();

    private Relay(URI target, HttpServer server) {
        this.target = target;
        this.server = server;
    }

    /// Starts on a free port.
    public static Relay to(URI target) {
        try {
            HttpServer server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            Relay relay = new Relay(target, server);
            server.setExecutor(relay.threads);
            server.createContext("/", relay::pass);
            server.start();
            return relay;
        } catch (IOException e) {
            throw new UncheckedIOException("start a relay", e);
        }
    }

    public URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /// The next requests whose `METHOD path` fits get a 503 with `retry-after: 1`, or a 429 every
    /// second time.
    public Relay refuse(String methodAndPath, int times) {
        refusals.put(methodAndPath, new AtomicInteger(times));
        return this;
    }

    /// How many requests were refused.
    public int refused() {
        return refused.get();
    }

    /// How many streams were opened so far.
    public int streamsOpened() {
        return streamsOpened.get();
    }

    /// Cuts every open stream in the middle.
    public void cutStreams() {
        streams.forEach((exchange, body) -> {
            exchange.close();
            closeQuietly(body);
        });
    }

    @Override
    public void close() {
        server.stop(0);
        cutStreams();
        threads.shutdownNow();
        http.shutdownNow();
    }

    private void pass(HttpExchange exchange) throws IOException {
        String call = exchange.getRequestMethod() + " " + exchange.getRequestURI().getPath();
        for (Map.Entry<String, AtomicInteger> refusal : refusals.entrySet()) {
            if (Pattern.matches(refusal.getKey(), call)
                    && refusal.getValue().getAndDecrement() > 0) {
                refuse(exchange);
                return;
            }
        }
        try {
            forward(exchange);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            exchange.close();
        }
    }

    private void refuse(HttpExchange exchange) throws IOException {
        boolean busy = refused.getAndIncrement() % 2 == 0;
        exchange.getResponseHeaders().set("retry-after", "1");
        exchange.sendResponseHeaders(busy ? 503 : 429, -1);
        exchange.close();
    }

    private void forward(HttpExchange exchange) throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(target.resolve(exchange.getRequestURI().toString()))
                        .method(
                                exchange.getRequestMethod(),
                                HttpRequest.BodyPublishers.ofByteArray(
                                        exchange.getRequestBody().readAllBytes()));
        exchange.getRequestHeaders()
                .forEach((name, values) -> {
                    if (!NOT_PASSED.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                        values.forEach(value -> request.header(name, value));
                    }
                });
        HttpResponse<InputStream> response =
                http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        response.headers()
                .map()
                .forEach((name, values) -> {
                    if (!Set.of("content-length", "transfer-encoding", "connection")
                            .contains(name)) {
                        exchange.getResponseHeaders().put(name, values);
                    }
                });
        exchange.sendResponseHeaders(response.statusCode(), response.statusCode() == 204 ? -1 : 0);
        boolean stream = exchange.getRequestURI().getPath().endsWith("/stream");
        if (stream) {
            streams.put(exchange, response.body());
            streamsOpened.incrementAndGet();
        }
        try (InputStream body = response.body();
                OutputStream out = exchange.getResponseBody()) {
            copy(body, out);
        } finally {
            streams.remove(exchange);
        }
    }

    private static void copy(InputStream body, OutputStream out) throws IOException {
        byte[] buffer = new byte[8192];
        for (int read = body.read(buffer); read >= 0; read = body.read(buffer)) {
            out.write(buffer, 0, read);
            out.flush();
        }
    }

    private static void closeQuietly(InputStream body) {
        try {
            body.close();
        } catch (IOException e) {
            System.getLogger(Relay.class.getName()).log(System.Logger.Level.DEBUG, "cut stream", e);
        }
    }
}
