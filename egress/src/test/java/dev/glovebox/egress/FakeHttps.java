package dev.glovebox.egress;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.glovebox.egress.tls.TestAuthority;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/// A web server over TLS, on the host's loopback unless told otherwise, HTTP/1.1, that remembers
/// what it was asked.
final class FakeHttps implements AutoCloseable {
    private final HttpsServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<Seen> seen = new CopyOnWriteArrayList<>();
    private final AtomicLong received = new AtomicLong();

    /// A request as it arrived.
    record Seen(String line, com.sun.net.httpserver.Headers headers) {}

    FakeHttps(TestAuthority.Identity identity) throws IOException, GeneralSecurityException {
        this(identity, InetAddress.ofLiteral("127.0.0.1"), 0);
    }

    /// Listens where the calling thread is; port 0 is a free one.
    FakeHttps(TestAuthority.Identity identity, InetAddress address, int port)
            throws IOException, GeneralSecurityException {
        server = HttpsServer.create(new InetSocketAddress(address, port), 64);
        server.setHttpsConfigurator(new HttpsConfigurator(identity.context()));
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String line = exchange.getRequestMethod() + " " + exchange.getRequestURI();
        seen.add(new Seen(line, exchange.getRequestHeaders()));
        byte[] buffer = new byte[64 * 1024];
        long body = 0;
        int length;
        while ((length = exchange.getRequestBody().read(buffer)) > 0) {
            body += length;
            received.addAndGet(length);
        }
        String path = exchange.getRequestURI().getPath();
        exchange.getResponseHeaders().add("Alt-Svc", "h3=\":443\"");
        if (path.startsWith("/status/")) {
            exchange.getResponseHeaders().add("Location", "https://evil.test/");
            exchange.sendResponseHeaders(Integer.parseInt(path.substring(8)), -1);
        } else if (path.startsWith("/big/")) {
            big(exchange, Long.parseLong(path.substring(5)));
        } else {
            String text = line + " " + exchange.getRequestHeaders().getFirst("Host");
            byte[] answer = (body == 0 ? text : text + " " + body).getBytes(StandardCharsets.UTF_8);
            boolean head = exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(200, head ? -1 : answer.length);
            if (!head) {
                exchange.getResponseBody().write(answer);
            }
        }
        exchange.close();
    }

    private static void big(HttpExchange exchange, long bytes) throws IOException {
        exchange.sendResponseHeaders(200, bytes);
        byte[] block = new byte[1 << 20];
        for (long left = bytes; left > 0; left -= block.length) {
            exchange.getResponseBody().write(block, 0, (int) Math.min(left, block.length));
        }
    }

    int port() {
        return server.getAddress().getPort();
    }

    List<Seen> seen() {
        return seen;
    }

    List<String> lines() {
        return seen.stream().map(Seen::line).toList();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.close();
    }
}
