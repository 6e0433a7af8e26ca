package dev.glovebox.spec.bench;

import dev.glovebox.egress.Door;
import dev.glovebox.egress.DoorLimits;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.linux.Trees;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A server, and doors to it, in a network namespace in which there is nothing else.
///
/// `./glovebox bench egress` starts the benchmark in namespaces of its own (network, mounts,
/// processes), so it takes no port of the host, needs no clean-up, and loopback here is a loopback
/// for it alone. The server is one nginx on loopback, for the doors at an address that their rules
/// write down. Doors live in this JVM, record to a file as a worker does, and their clients are
/// programs that join a door's namespace, as a sandbox does.
final class EgressLab implements AutoCloseable {
    static final String DIRECT = "direct";
    static final String INJECTING = "door, `https` with a credential";
    static final String NAME = "api.bench";
    static final String ADDRESS = "192.0.2.10";
    static final int TLS_PORT = 443;
    static final String SECRET = "sk-bench-5f2b6f0c9f7d4f60a1";

    /// Answers only who brings the secret.
    static final String GUARDED = "/guarded";

    static final String OPEN = "/open";
    static final String LARGE = "/large";
    static final long LARGE_BYTES = 1L << 30;

    private static final int SMALL_BYTES = 1024;
    private static final int CONNECTIONS = 1024;

    private static final String AUTHORITY =
            """
            cd "$0"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.crt -days 2 -subj /CN=bench-root \
              -addext keyUsage=critical,keyCertSign,cRLSign
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key -out server.csr -subj /CN=api.bench
            printf 'subjectAltName=DNS:api.bench\\nkeyUsage=critical,digitalSignature\\nextendedKeyUsage=serverAuth\\n' >server.ext
            openssl x509 -req -in server.csr -CA root.crt -CAkey root.key -CAcreateserial -days 2 -extfile server.ext -out server.crt
            """;

    private static final String NGINX =
            """
            user root;
            daemon off;
            worker_processes 1;
            pid FOLDER/nginx.pid;
            error_log stderr error;
            events { worker_connections 8192; }
            http {
              access_log off;
              sendfile on;
              tcp_nopush on;
              keepalive_requests 1000000000;
              keepalive_timeout 600s;
              client_body_temp_path FOLDER/nginx-body;
              proxy_temp_path FOLDER/nginx-proxy;
              fastcgi_temp_path FOLDER/nginx-fastcgi;
              uwsgi_temp_path FOLDER/nginx-uwsgi;
              scgi_temp_path FOLDER/nginx-scgi;
              server {
                listen ADDRESS:80;
                listen ADDRESS:443 ssl http2;
                server_name api.bench;
                ssl_certificate FOLDER/server.crt;
                ssl_certificate_key FOLDER/server.key;
                ssl_protocols TLSv1.2 TLSv1.3;
                ssl_session_cache shared:SSL:8m;
                root FOLDER/memory;
                location = /open { return 200 "SMALL"; }
                location = /guarded {
                  if ($http_authorization != "Bearer SECRET") { return 401; }
                  return 200 "SMALL";
                }
              }
            }
            """;

    private final Path folder;
    private final AuditLog audit;
    private final Doors doors;
    private final Doors unrecorded;
    private final Daemon server;
    private final Path hosts;
    private final Path names;
    private int opened;

    private EgressLab(Path folder) throws IOException {
        this.folder = folder;
        this.hosts = Files.writeString(folder.resolve("hosts"), ADDRESS + " " + NAME + "\n");
        this.names = Files.writeString(folder.resolve("resolv.conf"), "nameserver 198.18.0.1\n");
        shell(folder, AUTHORITY);
        large();
        this.server = nginx();
        this.audit = AuditLog.open(AuditConfig.at(folder.resolve("audit")));
        this.doors = Doors.open(config("doors").withAudit(audit));
        this.unrecorded = Doors.open(config("unrecorded"));
    }

    /// Makes all of it.
    static EgressLab open() throws IOException {
        Path folder = Files.createTempDirectory("glovebox-bench-");
        shell(folder, "ip link set lo up");
        if (NetworkInterface.networkInterfaces().anyMatch(each -> !each.getName().equals("lo"))) {
            throw new IllegalStateException(
                    "there are other interfaces than lo: `./glovebox bench egress` starts this where"
                            + " there are none");
        }
        shell(
                folder,
                "ip addr add "
                        + ADDRESS
                        + "/32 dev lo && sysctl -qw net.ipv4.ip_local_port_range='1024 65535'");
        return new EgressLab(folder);
    }

    /// Where everything of this run may be put.
    Path folder() {
        return folder;
    }

    /// Whose certificate the server has, PEM.
    Path root() {
        return folder.resolve("root.crt");
    }

    /// What a program believes instead of `/etc/hosts`: where the server is.
    Path hosts() {
        return hosts;
    }

    /// What doors share, in a directory of their own.
    EgressConfig config(String directory) {
        DoorLimits usual = DoorLimits.DEFAULT;
        DoorLimits limits =
                new DoorLimits(
                        CONNECTIONS,
                        usual.connect(),
                        usual.firstBytes(),
                        usual.idle(),
                        usual.headerBytes(),
                        usual.names(),
                        usual.denials(),
                        usual.answer());
        return EgressConfig.at(folder.resolve(directory)).withLimits(limits).withRoots(root());
    }

    private Daemon nginx() throws IOException {
        String text =
                NGINX.replace("FOLDER", folder.toString())
                        .replace("ADDRESS", ADDRESS)
                        .replace("SECRET", SECRET)
                        .replace("SMALL", "glovebox".repeat(SMALL_BYTES / "glovebox".length()));
        Path file = Files.writeString(folder.resolve("nginx.conf"), text);
        return Daemon.start(
                folder.resolve("nginx.log"),
                new InetSocketAddress(InetAddress.ofLiteral(ADDRESS), TLS_PORT),
                List.of("nginx", "-p", folder.toString(), "-c", file.toString()));
    }

    private void large() throws IOException {
        Path memory = Files.createDirectory(folder.resolve("memory"));
        shell(memory, "mount -t tmpfs -o size=1200m tmpfs \"$0\"");
        byte[] block = new byte[1 << 20];
        new Random(17).nextBytes(block);
        try (OutputStream out = Files.newOutputStream(memory.resolve(LARGE.substring(1)))) {
            for (long written = 0; written < LARGE_BYTES; written += block.length) {
                out.write(block);
            }
        }
    }

    /// From the client to the server with nothing between them.
    Lane direct(Lane.Kind kind) {
        return new Lane(
                DIRECT,
                kind,
                url(kind),
                OPEN,
                root(),
                Lane.seeing(hosts, "/etc/hosts"),
                () -> Duration.ZERO);
    }

    /// Through a door of its own.
    ///
    /// @param protocol of its rule
    /// @param credential whether the door adds the secret
    Lane door(Lane.Kind kind, String protocol, boolean credential) throws IOException {
        String name = "door, `" + protocol + "`" + (credential ? " with a credential" : "");
        return door(doors, name, kind, protocol, credential);
    }

    /// Through a door that keeps no records: what they cost.
    Lane unrecorded() throws IOException {
        return door(unrecorded, INJECTING + ", no records", Lane.Kind.HTTPS, "https", true);
    }

    private Lane door(
            Doors doors, String title, Lane.Kind kind, String protocol, boolean credential)
            throws IOException {
        String name = kind.name() + "-" + protocol + "-" + opened++;
        Door door = doors.open(name, EgressPolicy.parse(policy(kind, protocol, credential)));
        boolean ends = protocol.equals("https");
        return new Lane(
                title,
                kind,
                url(kind),
                credential ? GUARDED : OPEN,
                ends ? door.trustFiles().bundle() : root(),
                inside(door.networkNamespace()),
                EgressLab::worked);
    }

    /// Processor time of this JVM, which does little else while a client runs.
    private static Duration worked() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow();
    }

    /// What puts a program into a door's namespace.
    List<String> inside(Path namespace) {
        return Stream.concat(
                        Stream.of("nsenter", "--net=" + namespace),
                        Lane.seeing(names, "/etc/resolv.conf").stream())
                .toList();
    }

    /// A policy of one rule.
    String policy(Lane.Kind kind, String protocol, boolean credential) throws IOException {
        Path secret = Files.writeString(folder.resolve("secret"), SECRET + "\n");
        int port = kind == Lane.Kind.CLEAR ? 80 : TLS_PORT;
        String rule =
                """
                rules:
                  - name: api
                    host: %s
                    port: %d
                    protocol: %s
                    action: allow
                    connect: "%s:%d"
                """
                        .formatted(NAME, port, protocol, ADDRESS, port);
        String with =
                """
                    credential: key
                    insecure-credential: %s
                credentials:
                  - name: key
                    header: Authorization
                    format: "Bearer {}"
                    source: {file: %s}
                """
                        .formatted(kind == Lane.Kind.CLEAR, secret);
        return credential ? rule + with : rule;
    }

    private static String url(Lane.Kind kind) {
        return (kind == Lane.Kind.CLEAR ? "http://" : "https://") + NAME;
    }

    /// Runs a script to its end.
    ///
    /// @param argument its `$0`
    static void shell(Path argument, String script) throws IOException {
        Path out = Files.createTempFile("glovebox-bench-", ".out");
        Process process =
                new ProcessBuilder("sh", "-ec", script, argument.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException(script + ": " + Files.readString(out));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            Files.delete(out);
        }
    }

    private void unmount() {
        try {
            shell(folder.resolve("memory"), "umount \"$0\"");
        } catch (IOException e) {
            throw new UncheckedIOException("unmount the large body", e);
        }
    }

    @Override
    public void close() {
        doors.close();
        unrecorded.close();
        audit.close();
        server.close();
        unmount();
        Trees.remove(folder);
    }
}
