package dev.glovebox.egress.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.LoopbackWires;
import dev.glovebox.egress.Programs;
import dev.glovebox.protocol.Secret;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A real PostgreSQL server behind the door's login, and its own client in front of it.
class PostgresGateIT {
    private static final String SECRET = "hush-pg-0123456789";
    private static final Path PROGRAMS = Path.of("/usr/lib/postgresql/15/bin");

    @TempDir static Path directory;
    private static Process server;
    private static int port;

    private final BackendKeys keys = new BackendKeys();
    private LoopbackWires wires;

    @BeforeAll
    static void serve() throws Exception {
        port = Programs.freePort();
        Path data = directory.resolve("data");
        Files.createDirectory(data);
        Programs.ok("chmod", "755", directory.toString());
        Programs.ok("chown", "nobody", data.toString());
        asNobody(PROGRAMS.resolve("initdb") + " -N -A trust -U postgres -D " + data);
        certificates(data);
        Files.writeString(
                data.resolve("pg_hba.conf"),
                """
                local all postgres trust
                host all scram 127.0.0.1/32 scram-sha-256
                host all md5 127.0.0.1/32 md5
                host all clear 127.0.0.1/32 password
                host all open 127.0.0.1/32 trust
                """);
        server =
                new ProcessBuilder(
                                "setpriv",
                                "--reuid=nobody",
                                "--regid=nogroup",
                                "--clear-groups",
                                PROGRAMS.resolve("postgres").toString(),
                                "-D",
                                data.toString(),
                                "-p",
                                "" + port,
                                "-h",
                                "127.0.0.1",
                                "-k",
                                data.toString(),
                                "-c",
                                "ssl=on",
                                "-c",
                                "fsync=off")
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("postgres.log").toFile())
                        .start();
        Programs.awaitPort(server, port);
        Programs.Result made =
                Programs.run(
                        Map.of("PGPASSWORD", ""),
                        """
                        create role scram login password 'SECRET';
                        create role clear login password 'SECRET';
                        create role open login;
                        set password_encryption = 'md5';
                        create role md5 login password 'SECRET';
                        create database app;
                        """
                                .replace("SECRET", SECRET),
                        List.of(
                                "psql",
                                "-v",
                                "ON_ERROR_STOP=1",
                                "-h",
                                data.toString(),
                                "-p",
                                "" + port,
                                "-U",
                                "postgres"));
        assertThat(made.exit()).as(made.output()).isZero();
    }

    private static void asNobody(String command) throws Exception {
        Programs.ok(
                "setpriv",
                "--reuid=nobody",
                "--regid=nogroup",
                "--clear-groups",
                "sh",
                "-c",
                command);
    }

    /// One for `localhost`, signed by itself.
    private static void certificates(Path data) throws Exception {
        Programs.ok(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
                "-keyout",
                data.resolve("server.key").toString(),
                "-out",
                data.resolve("server.crt").toString());
        Programs.ok("chown", "nobody", data.resolve("server.key").toString());
        Programs.ok("chmod", "600", data.resolve("server.key").toString());
    }

    @AfterAll
    static void stop() throws Exception {
        Programs.stop(server);
    }

    @AfterEach
    void close() {
        if (wires != null) {
            wires.close();
        }
    }

    private void open(int upstream, String user, String password, Optional<SslContext> tls) {
        if (wires != null) {
            wires.close();
        }
        PostgresLogin login = new PostgresLogin(user, new Secret(password), "app"::equals);
        wires =
                new LoopbackWires(
                        upstream,
                        tls,
                        Duration.ofSeconds(20),
                        wire -> new PostgresGate(wire, login, keys));
    }

    private void open(String user) {
        open(port, user, SECRET, Optional.empty());
    }

    private static SslContext trusting(Path roots) throws Exception {
        return SslContextBuilder.forClient()
                .sslProvider(SslProvider.JDK)
                .trustManager(roots.toFile())
                .endpointIdentificationAlgorithm("HTTPS")
                .build();
    }

    private Programs.Result psql(String user, String database, String input) throws Exception {
        return Programs.run(
                Map.of("PGPASSWORD", "whatever"),
                input,
                List.of(
                        "psql",
                        "-At",
                        "-h",
                        "127.0.0.1",
                        "-p",
                        "" + wires.port(),
                        "-U",
                        user,
                        "-d",
                        database));
    }

    @Test
    void everyKindOfPassword_isGivenByTheDoor() throws Exception {
        for (String user : List.of("scram", "md5", "clear", "open")) {
            if (!user.equals("open")) {
                assertThat(
                                Programs.run(
                                                Map.of("PGPASSWORD", "whatever"),
                                                "",
                                                List.of(
                                                        "psql",
                                                        "-h",
                                                        "127.0.0.1",
                                                        "-p",
                                                        "" + port,
                                                        "-U",
                                                        user,
                                                        "-d",
                                                        "app"))
                                        .output())
                        .contains("password authentication failed");
            }
            open(user);
            assertThat(psql(user, "app", "select current_user || ' in ' || current_database()"))
                    .as(user)
                    .isEqualTo(new Programs.Result(0, user + " in app\n"));
        }
    }

    @Test
    void copyOfManyRows_passesBothWays() throws Exception {
        open("scram");
        String rows = "0123456789012345678901234567890123456789\n".repeat(500_000);
        Programs.Result result =
                psql(
                        "scram",
                        "app",
                        "create temporary table t (x text);\n\\copy t from stdin\n"
                                + rows
                                + "\\.\nselect count(*) from t;\n\\copy t to /dev/null\nselect 'end';\n");
        assertThat(result.output()).contains("500000").endsWith("end\n");
    }

    @Test
    void serversCertificate_isVerifiedBeforeTheLogin() throws Exception {
        Path data = directory.resolve("data");
        open(port, "clear", SECRET, Optional.of(trusting(data.resolve("server.crt"))));
        assertThat(psql("clear", "app", "select ssl from pg_stat_ssl where pid=pg_backend_pid()"))
                .isEqualTo(new Programs.Result(0, "t\n"));

        Path other = directory.resolve("other");
        Files.createDirectories(other);
        certificates(other);
        open(port, "clear", SECRET, Optional.of(trusting(other.resolve("server.crt"))));
        assertThat(psql("clear", "app", "select 1").output())
                .contains("certificate is not accepted");
        assertThat(wires.denials()).hasSize(1);
    }

    /// A server that offers no TLS does not even hear the user.
    @Test
    void downgradeOfTheUpstream_isRefused() throws Exception {
        open("clear");
        assertThat(psql("clear", "app", "select 1").output()).isEqualTo("1\n");
        try (FalseServer server = new FalseServer("N")) {
            SslContext tls = trusting(directory.resolve("data").resolve("server.crt"));
            open(server.port(), "clear", SECRET, Optional.of(tls));
            assertThat(psql("clear", "app", "select 1").output()).contains("does not offer TLS");
            assertThat(server.heard()).hasSize(8);
        }
        try (FalseServer server = new FalseServer("SX")) {
            SslContext tls = trusting(directory.resolve("data").resolve("server.crt"));
            open(server.port(), "clear", SECRET, Optional.of(tls));
            assertThat(psql("clear", "app", "select 1").exit()).isNotZero();
            assertThat(new String(server.heard(), StandardCharsets.ISO_8859_1))
                    .doesNotContain("clear", SECRET);
        }
    }

    @Test
    void otherUserDatabaseOrReplication_isRefusedAndNotDialled() throws Exception {
        open("scram");
        assertThat(psql("scram", "app", "select 1").output()).isEqualTo("1\n");
        int before = wires.dialled();
        assertThat(psql("postgres", "app", "select 1").output())
                .contains("refused by the door", "logs in as user \"scram\"");
        assertThat(psql("scram", "postgres", "select 1").output())
                .contains("refused by the door", "does not give this database");
        assertThat(psql("scram", "dbname=app replication=database", "select 1").output())
                .contains("refused by the door", "replication");
        assertThat(wires.dialled()).isEqualTo(before);
        assertThat(wires.denials()).hasSize(3);
    }

    @Test
    void clientThatDemandsTls_isToldThatThereIsNone() throws Exception {
        open("scram");
        assertThat(psql("scram", "dbname=app sslmode=require", "select 1").output())
                .contains("server does not support SSL");
        assertThat(psql("scram", "dbname=app sslmode=prefer", "select 1").output())
                .isEqualTo("1\n");
    }

    @Test
    void cancelRequest_worksForOwnSessionsOnly() throws Exception {
        open("scram");
        Process sleeper =
                new ProcessBuilder(
                                "timeout",
                                "-s",
                                "INT",
                                "2",
                                "psql",
                                "-h",
                                "127.0.0.1",
                                "-p",
                                "" + wires.port(),
                                "-U",
                                "scram",
                                "-d",
                                "app",
                                "-c",
                                "select pg_sleep(50)")
                        .redirectErrorStream(true)
                        .start();
        String output = new String(sleeper.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(output).contains("canceling statement due to user request");

        int before = wires.dialled();
        try (Socket socket = connect()) {
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            out.writeInt(16);
            out.writeInt(80877102);
            out.writeInt(1234);
            out.writeInt(5678);
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
        assertThat(wires.dialled()).isEqualTo(before);
        assertThat(wires.denials()).anyMatch(each -> each.contains("cancel request"));
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), wires.port());
        socket.setSoTimeout(60_000);
        return socket;
    }

    private String say(byte[] bytes) throws IOException {
        try (Socket socket = connect()) {
            socket.getOutputStream().write(bytes);
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (java.net.SocketException e) {
            return "[reset]";
        }
    }

    @Test
    void malformedStartupPackets_areRefusedAndNotDialled() throws Exception {
        open("scram");
        Random random = new Random(20261124);
        for (int round = 0; round < 300; round++) {
            byte[] noise = new byte[random.nextInt(64) + 1];
            random.nextBytes(noise);
            if (round % 2 == 0 && noise.length > 8) {
                noise[0] = 0;
                noise[1] = 0;
                noise[2] = 0;
                noise[3] = (byte) noise.length;
                noise[4] = 0;
                noise[5] = 3;
            }
            assertThat(say(noise)).doesNotContain(SECRET);
        }
        assertThat(say("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII)))
                .contains("the startup packet claims");
        assertThat(say(new byte[] {0, 0, 0, 8, 0, 2, 0, 0})).contains("protocol version 2");
        assertThat(say(new byte[] {0, 0, 0, 8, 4, (byte) 0xd2, 0x16, 0x2f, 1}))
                .contains("is not alone");
        assertThat(wires.dialled()).isZero();
        assertThat(psql("scram", "app", "select 1").output()).isEqualTo("1\n");
    }

    @Test
    void slowClient_isCutOff() throws Exception {
        PostgresLogin login = new PostgresLogin("scram", new Secret(SECRET), "app"::equals);
        wires =
                new LoopbackWires(
                        port,
                        Optional.empty(),
                        Duration.ofMillis(500),
                        wire -> new PostgresGate(wire, login, keys));
        try (Socket socket = connect()) {
            socket.getOutputStream().write(0);
            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .contains("no startup packet came in time");
        }
    }

    /// What a false server may try to get the password out, or to be taken for the real one.
    @Test
    void falseServers_areNotBelieved() throws Exception {
        Map<String, String> attacks =
                Map.of(
                        "a login by ticket",
                        message('R', "\0\0\0\7"),
                        "SCRAM with channel binding only",
                        message('R', "\0\0\0\12SCRAM-SHA-256-PLUS\0\0"),
                        "SCRAM broken off",
                        message('R', "\0\0\0\12SCRAM-SHA-256\0\0") + message('R', "\0\0\0\0"),
                        "SCRAM of its own nonce",
                        message('R', "\0\0\0\12SCRAM-SHA-256\0\0")
                                + message('R', "\0\0\0\13r=abc,s=QUJD,i=4096"),
                        "an endless message",
                        "R\177\377\377\377",
                        "no PostgreSQL",
                        "HTTP/1.1 400 Bad Request\r\n\r\n",
                        "the password in an error",
                        message('E', "Mpassword " + SECRET + "\0\0"),
                        "queries before the login",
                        message('T', "\0\0"));
        for (var attack : attacks.entrySet()) {
            try (FalseServer server = new FalseServer(attack.getValue())) {
                open(server.port(), "scram", SECRET, Optional.empty());
                Programs.Result result = psql("scram", "app", "select 1");
                assertThat(result.exit()).as(attack.getKey()).isNotZero();
                assertThat(result.output())
                        .as(attack.getKey())
                        .contains("FATAL")
                        .doesNotContain(SECRET);
                assertThat(new String(server.heard(), StandardCharsets.ISO_8859_1))
                        .as(attack.getKey())
                        .doesNotContain(SECRET);
                assertThat(wires.denials()).as(attack.getKey()).isNotEmpty();
            }
        }
    }

    private static String message(char type, String body) {
        int length = body.length() + 4;
        return "" + type + "\0\0" + (char) (length >> 8) + (char) (length & 0xff) + body;
    }

    /// Says the same to everybody as soon as it has heard something, and remembers what it heard.
    private static final class FalseServer implements AutoCloseable {
        private final ServerSocket listener =
                new ServerSocket(0, 10, InetAddress.ofLiteral("127.0.0.1"));
        private final java.io.ByteArrayOutputStream heard = new java.io.ByteArrayOutputStream();
        private final Thread thread;

        FalseServer(String words) throws IOException {
            thread = Thread.ofVirtual().start(() -> serve(words));
        }

        private void serve(String words) {
            try (Socket socket = listener.accept()) {
                DataInputStream in = new DataInputStream(socket.getInputStream());
                byte[] first = new byte[in.readInt() - 4];
                in.readFully(first);
                heard.write(new byte[4]);
                heard.write(first);
                socket.getOutputStream().write(words.getBytes(StandardCharsets.ISO_8859_1));
                in.transferTo(heard);
            } catch (IOException e) {
                // the door has hung up
            }
        }

        int port() {
            return listener.getLocalPort();
        }

        byte[] heard() throws InterruptedException {
            thread.join(Duration.ofSeconds(30));
            return heard.toByteArray();
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }
}
