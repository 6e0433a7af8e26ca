package dev.glovebox.egress;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A web server as Debian ships it, on loopback, with a configuration of the test's that makes it
/// write down each request as it understood it: `seen|STATUS|METHOD|TARGET|HOST|X|BODY`.
///
/// nginx and haproxy stand before a server of Python's and log when it has answered them, so that a
/// request whose body never came whole is not logged with status 200.
final class RealServer implements AutoCloseable {
    private static final String NGINX =
            """
            daemon off; master_process off; pid DIR/nginx.pid; error_log DIR/nginx.err info;
            events {}
            http {
              log_format seen escape=none 'seen|$status|$request_method|$request_uri|$http_host|$seen_x|$seen_body';
              map $http_x $seen_x { '' '-'; default $http_x; }
              map $request_body $seen_body { '' '-'; default $request_body; }
              access_log DIR/nginx.log seen;
              client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi;
              uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
              client_body_in_single_buffer on; client_body_buffer_size 64k; large_client_header_buffers 4 64k;
              server { listen 127.0.0.1:PORT; location / { proxy_pass http://127.0.0.1:BEHIND; } }
            }
            """;
    private static final String HAPROXY =
            """
            global
              log stdout format raw local0
              nbthread 1
              tune.bufsize 65536
            defaults
              mode http
              timeout connect 10s
              timeout client 60s
              timeout server 60s
              option http-buffer-request
            frontend seen
              bind 127.0.0.1:PORT
              log global
              http-request capture req.hdr(host) len 256
              http-request capture req.fhdr(x) len 256
              http-request capture req.body len 4096
              log-format "seen|%ST|%HM|%HU|%[capture.req.hdr(0)]|%[capture.req.hdr(1)]|%[capture.req.hdr(2)]"
              default_backend behind
            backend behind
              server one 127.0.0.1:BEHIND
            """;

    private final String name;
    private final int port;
    private final Process process;
    private final Path log;
    private final @Nullable RealServer behind;

    private RealServer(
            String name, int port, Process process, Path log, @Nullable RealServer behind) {
        this.name = name;
        this.port = port;
        this.process = process;
        this.log = log;
        this.behind = behind;
    }

    static RealServer nginx(Path directory) throws Exception {
        RealServer behind = python(directory, "behind-nginx");
        int port = freePort();
        Path file = configured(directory, "nginx", NGINX, port, behind.port);
        Process process =
                start(
                        directory,
                        "nginx",
                        "nginx",
                        "-p",
                        directory.toString(),
                        "-c",
                        file.toString());
        return new RealServer("nginx", port, process, directory.resolve("nginx.log"), behind)
                .ready();
    }

    static RealServer haproxy(Path directory) throws Exception {
        RealServer behind = python(directory, "behind-haproxy");
        int port = freePort();
        Path file = configured(directory, "haproxy", HAPROXY, port, behind.port);
        Process process = start(directory, "haproxy", "haproxy", "-db", "-f", file.toString());
        return new RealServer("haproxy", port, process, directory.resolve("haproxy.out"), behind)
                .ready();
    }

    static RealServer python(Path directory, String name) throws Exception {
        int port = freePort();
        Path program = directory.resolve("server.py");
        try (InputStream in = RealServer.class.getResourceAsStream("server.py")) {
            Files.write(program, in.readAllBytes());
        }
        Process process = start(directory, name, "/usr/bin/python3", program.toString(), "" + port);
        return new RealServer(name, port, process, directory.resolve(name + ".out"), null).ready();
    }

    private static Path configured(Path directory, String name, String text, int port, int behind)
            throws IOException {
        return Files.writeString(
                directory.resolve(name + ".conf"),
                text.replace("DIR", directory.toString())
                        .replace("PORT", "" + port)
                        .replace("BEHIND", "" + behind));
    }

    private static Process start(Path directory, String name, String... command)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().merge("PATH", ":/usr/sbin:/sbin", String::concat);
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.redirectErrorStream(true);
        builder.redirectOutput(directory.resolve(name + ".out").toFile());
        return builder.start();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
            return socket.getLocalPort();
        }
    }

    private RealServer ready() throws Exception {
        for (int i = 0; i < 600; i++) {
            if (!process.isAlive()) {
                break;
            }
            try (Socket _ = new Socket(InetAddress.ofLiteral("127.0.0.1"), port)) {
                return this;
            } catch (IOException e) {
                process.waitFor(100, TimeUnit.MILLISECONDS);
            }
        }
        close();
        throw new IOException(name + " did not start; see its output beside " + log);
    }

    String name() {
        return name;
    }

    int port() {
        return port;
    }

    /// The requests that the server understood and answered, as it understood them. Asks it one
    /// more first, past the door, which comes last in its log.
    List<String> seen(String marker) throws Exception {
        try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), port)) {
            socket.getOutputStream()
                    .write(
                            ("GET /" + marker + " HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n")
                                    .getBytes(StandardCharsets.US_ASCII));
            socket.getInputStream().readAllBytes();
        }
        for (int i = 0; i < 600; i++) {
            List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
            if (lines.stream().anyMatch(line -> line.contains(marker))) {
                return lines.stream()
                        .filter(line -> line.startsWith("seen|") && !line.contains(marker))
                        .toList();
            }
            process.waitFor(100, TimeUnit.MILLISECONDS);
        }
        throw new IOException(name + " did not log the last request");
    }

    @Override
    public void close() {
        process.destroy();
        if (process.onExit().completeOnTimeout(null, 10, TimeUnit.SECONDS).join() == null) {
            process.destroyForcibly();
        }
        if (behind != null) {
            behind.close();
        }
    }
}
