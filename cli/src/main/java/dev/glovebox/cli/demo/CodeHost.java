package dev.glovebox.cli.demo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/// A private code host for the demo, on loopback: it gives the files of a small repository to
/// whoever shows its token, and nothing to anybody else.
final class CodeHost implements AutoCloseable {
    private static final Map<String, String> FILES =
            Map.of("/leap.c", resource("leap.c"), "/test.sh", resource("test.sh"));

    private final HttpServer server;
    private final String expected;
    private final AtomicInteger served = new AtomicInteger();

    private CodeHost(HttpServer server, Secret token) {
        this.server = server;
        this.expected = "Bearer " + token.reveal();
    }

    static CodeHost start(Secret token) {
        try {
            HttpServer server =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            CodeHost host = new CodeHost(server, token);
            server.createContext("/", host::answer);
            server.start();
            return host;
        } catch (IOException e) {
            throw new UncheckedIOException("the demo's code host could not listen", e);
        }
    }

    int port() {
        return server.getAddress().getPort();
    }

    /// How many files were given out against the right token.
    int served() {
        return served.get();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String content = FILES.get(exchange.getRequestURI().getPath());
            if (!expected.equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
                reply(exchange, 401, "a token is needed\n");
            } else if (content == null) {
                reply(exchange, 404, "no such file\n");
            } else {
                served.incrementAndGet();
                reply(exchange, 200, content);
            }
        }
    }

    private static void reply(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }

    private static String resource(String name) {
        try (InputStream in =
                Objects.requireNonNull(CodeHost.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
