package dev.glovebox.egress;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/// A web server, on the host's loopback unless told otherwise, that remembers what it was asked.
final class FakeWeb implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<Seen> seen = new CopyOnWriteArrayList<>();

    private final Set<Integer> ports = ConcurrentHashMap.newKeySet();

    /// A request as it arrived.
    record Seen(String line, com.sun.net.httpserver.Headers headers, String body) {}

    FakeWeb() throws IOException {
        this(InetAddress.ofLiteral("127.0.0.1"), 0);
    }

    /// Listens where the calling thread is; port 0 is a free one.
    FakeWeb(InetAddress address, int port) throws IOException {
        server = HttpServer.create(new InetSocketAddress(address, port), 64);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String line = exchange.getRequestMethod() + " " + exchange.getRequestURI();
        ports.add(exchange.getRemoteAddress().getPort());
        seen.add(new Seen(line, exchange.getRequestHeaders(), body));
        exchange.getResponseHeaders().add("Alt-Svc", "h3=\":443\"");
        if (exchange.getRequestURI().getPath().equals("/echo-header")) {
            exchange.getResponseHeaders()
                    .add("X-Echo", exchange.getRequestHeaders().getFirst("Authorization"));
        }
        byte[] answer = answerTo(exchange, line, body);
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(200, head ? -1 : answer.length == 0 ? -1 : answer.length);
        if (!head) {
            exchange.getResponseBody().write(answer);
        }
        exchange.close();
    }

    private static byte[] answerTo(HttpExchange exchange, String line, String body) {
        String path = exchange.getRequestURI().getPath();
        if (path.startsWith("/big/")) {
            return new byte[Integer.parseInt(path.substring(5))];
        }
        if (path.equals("/echo")) {
            return ("you said " + exchange.getRequestHeaders().getFirst("Authorization"))
                    .getBytes(StandardCharsets.UTF_8);
        }
        String text = line + " " + exchange.getRequestHeaders().getFirst("Host");
        return (body.isEmpty() ? text : text + " " + body.length())
                .getBytes(StandardCharsets.UTF_8);
    }

    int port() {
        return server.getAddress().getPort();
    }

    List<Seen> seen() {
        return seen;
    }

    /// The client's ports of all connections that brought a request.
    Set<Integer> ports() {
        return ports;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.close();
    }
}
