package dev.glovebox.egress;

import dev.glovebox.egress.tls.TestAuthority;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.util.List;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.util.io.pem.PemObject;

/// Debian's nginx on the host's loopback, as a server that was not written for a test.
final class Nginx implements AutoCloseable {
    private static final String CONFIG =
            """
            daemon off; master_process off; pid DIR/nginx.pid; error_log DIR/error.log info;
            user root;
            events { worker_connections 1024; }
            http {
              log_format seen escape=none '$connection|$server_protocol|$status|$request_method|$request_uri|$uri';
              access_log DIR/access.log seen;
              client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi;
              uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
              server {
                listen 127.0.0.1:PORTTLS;
                SERVER
              }
            }
            """;

    private final Path directory;
    private final Process process;
    private final int port;

    private Nginx(Path directory, int port, Process process) {
        this.directory = directory;
        this.port = port;
        this.process = process;
    }

    /// In the clear.
    ///
    /// @param directory its own, which is made
    /// @param server what stands in its `server` block
    static Nginx clear(Path directory, String server) throws Exception {
        Files.createDirectories(directory);
        return start(directory, "", server);
    }

    /// In TLS, with HTTP/2 for those who speak it.
    static Nginx secure(Path directory, TestAuthority.Identity identity, String server)
            throws Exception {
        Files.createDirectories(directory);
        Path chain =
                Files.writeString(directory.resolve("chain.pem"), pem(identity.chain().toArray()));
        Path key =
                Files.writeString(directory.resolve("key.pem"), pem(identity.keys().getPrivate()));
        return start(
                directory,
                " ssl http2",
                "ssl_certificate %s; ssl_certificate_key %s;\n".formatted(chain, key) + server);
    }

    /// Certificates, and private keys in PKCS #8, as programs take them from files.
    static String pem(Object... objects) throws IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter pem = new JcaPEMWriter(text)) {
            for (Object each : objects) {
                pem.writeObject(
                        each instanceof PrivateKey key
                                ? new PemObject("PRIVATE KEY", key.getEncoded())
                                : each);
            }
        }
        return text.toString();
    }

    private static Nginx start(Path directory, String tls, String server) throws Exception {
        int port = Programs.freePort();
        Path config =
                Files.writeString(
                        directory.resolve("nginx.conf"),
                        CONFIG.replace("DIR", directory.toString())
                                .replace("PORTTLS", port + tls)
                                .replace("SERVER", server));
        ProcessBuilder builder =
                new ProcessBuilder("nginx", "-p", directory.toString(), "-c", config.toString());
        builder.environment().merge("PATH", ":/usr/sbin:/sbin", String::concat);
        builder.redirectErrorStream(true);
        builder.redirectOutput(directory.resolve("output").toFile());
        Process process = builder.start();
        Programs.awaitPort(process, port);
        return new Nginx(directory, port, process);
    }

    int port() {
        return port;
    }

    /// Its log so far: connection, protocol, status, method, target and the path it took that for.
    List<String> seen() throws IOException {
        return Files.readAllLines(
                directory.resolve("access.log"), java.nio.charset.StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() {
        try {
            Programs.stop(process);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
