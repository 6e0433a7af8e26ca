package dev.glovebox.egress.redis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.LoopbackWires;
import dev.glovebox.egress.Programs;
import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A real Redis server behind the door's login, and its own client in front of it.
class RedisGateIT {
    private static final String SECRET = "hush-redis-0123456789";

    @TempDir static Path directory;
    private static Process server;
    private static int port;

    private LoopbackWires wires;

    @BeforeAll
    static void serve() throws Exception {
        port = Programs.freePort();
        Path config =
                Files.writeString(
                        directory.resolve("redis.conf"),
                        "port "
                                + port
                                + "\nbind 127.0.0.1\nsave \"\"\ndir "
                                + directory
                                + "\nrequirepass "
                                + SECRET
                                + "\nuser app on >"
                                + SECRET
                                + "app ~app:* +@all -@admin\n");
        server =
                new ProcessBuilder("redis-server", config.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("redis.log").toFile())
                        .start();
        Programs.awaitPort(server, port);
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

    private void open(RedisLogin login) {
        wires =
                new LoopbackWires(
                        port,
                        Optional.empty(),
                        Duration.ofSeconds(30),
                        wire -> new RedisGate(wire, login));
    }

    private void openAsDefault() {
        open(new RedisLogin(Optional.empty(), new Secret(SECRET), Set.of()));
    }

    private String cli(String... arguments) throws Exception {
        String[] command = new String[arguments.length + 3];
        command[0] = "redis-cli";
        command[1] = "-p";
        command[2] = "" + wires.port();
        System.arraycopy(arguments, 0, command, 3, arguments.length);
        return Programs.run(command).output().trim();
    }

    /// Sends bytes and reads until so many lines have come or the connection ends.
    private String say(String text, int lines) throws IOException {
        try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), wires.port())) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
            StringBuilder read = new StringBuilder();
            int next;
            int seen = 0;
            while (seen < lines && (next = socket.getInputStream().read()) >= 0) {
                read.append((char) next);
                seen += next == '\n' ? 1 : 0;
            }
            return read.toString();
        }
    }

    @Test
    void clientWithoutPassword_isLoggedIn() throws Exception {
        assertThat(Programs.run("redis-cli", "-p", "" + port, "PING").output()).contains("NOAUTH");
        openAsDefault();
        assertThat(cli("SET", "a", "1")).isEqualTo("OK");
        assertThat(cli("GET", "a")).isEqualTo("1");
        assertThat(cli("SET", "empty", "")).isEqualTo("OK");
        assertThat(cli("GET", "empty")).isEmpty();
        assertThat(wires.denials()).isEmpty();
    }

    @Test
    void clientsOwnLogin_isReplacedInItsPlace() throws Exception {
        openAsDefault();
        assertThat(cli("-a", "wrong", "--no-auth-warning", "-3", "SET", "b", "2")).isEqualTo("OK");
        assertThat(say("GET b\r\nAUTH x\r\n*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n", 5))
                .isEqualTo("$1\r\n2\r\n+OK\r\n$2\r\nhi\r\n");
        assertThat(say("HELLO 2 AUTH other pass SETNAME me\r\nCLIENT GETNAME\r\nQUIT\r\n", 100))
                .contains("server")
                .endsWith("$2\r\nme\r\n+OK\r\n");
    }

    @Test
    void aclUser_isTheDoorsAndNotTheClients() throws Exception {
        open(new RedisLogin(Optional.of("app"), new Secret(SECRET + "app"), Set.of()));
        assertThat(cli("SET", "app:x", "1")).isEqualTo("OK");
        assertThat(cli("--user", "default", "--pass", SECRET, "--no-auth-warning", "SET", "o", "1"))
                .contains("NOPERM");
    }

    /// E1: a server shows its password to whoever may ask for it.
    @Test
    void commandsThatShowTheCredential_areRefusedInTheirPlace() throws Exception {
        assertThat(
                        Programs.run(
                                        "redis-cli",
                                        "-p",
                                        "" + port,
                                        "-a",
                                        SECRET,
                                        "CONFIG",
                                        "GET",
                                        "requirepass")
                                .output())
                .contains(SECRET);
        openAsDefault();
        for (List<String> asked :
                List.of(
                        List.of("CONFIG", "GET", "requirepass"),
                        List.of("config", "get", "*"),
                        List.of("ACL", "GETUSER", "default"),
                        List.of("MONITOR"),
                        List.of("REPLICAOF", "127.0.0.1", "1"),
                        List.of("MIGRATE", "127.0.0.1", "1", "a", "0", "1"),
                        List.of("RESET"))) {
            assertThat(cli(asked.toArray(String[]::new)))
                    .as("%s", asked)
                    .contains("refused by the door", asked.getFirst().toUpperCase(Locale.ROOT))
                    .doesNotContain(SECRET);
        }
        assertThat(say("PING\r\nCONFIG GET requirepass\r\nPING\r\n", 3))
                .startsWith("+PONG\r\n-ERR unknown command 'refused by the door")
                .endsWith("+PONG\r\n")
                .doesNotContain(SECRET);
        assertThat(say("*3\r\n$6\r\nCONFIG\r\n$3\r\nGET\r\n$1\r\n*\r\n*1\r\n$4\r\nPING\r\n", 2))
                .contains("refused by the door")
                .endsWith("+PONG\r\n")
                .doesNotContain(SECRET);
        assertThat(wires.denials()).isNotEmpty();
    }

    @Test
    void commandBesidesTheRules_isRefused() throws Exception {
        open(new RedisLogin(Optional.empty(), new Secret(SECRET), Set.of("GET", "SET")));
        assertThat(cli("SET", "c", "3")).isEqualTo("OK");
        assertThat(cli("EVAL", "return redis.call('get','c')", "0"))
                .contains("refused by the door");
        assertThat(cli("FLUSHALL")).contains("refused by the door");
        assertThat(cli("GET", "c")).isEqualTo("3");
    }

    @Test
    void oddSpellings_areRefusedAndNeverReadTwice() throws Exception {
        openAsDefault();
        assertThat(say("*1\r\n$4\r\nPING\r\n", 1)).isEqualTo("+PONG\r\n");
        for (String odd :
                List.of(
                        "\"CONFIG\" GET requirepass\r\n",
                        "\"\\x43ONFIG\" GET requirepass\r\n",
                        "PING\nCONFIG GET requirepass\n",
                        "*+1\r\n$4\r\nPING\r\n",
                        "*-1\r\n",
                        "*01\r\n$4\r\nPING\r\n",
                        "*1\r\n$+4\r\nPING\r\n",
                        "*1\r\n$-1\r\n",
                        "*1\r\n$04\r\nPING\r\n",
                        "*1\r\n:4\r\n",
                        "*1\r\n$4\r\nPINGxx\r\n",
                        "*2\r\n$4\r\nECHO\r\n$999999999999\r\n",
                        "*2\r\n$4\r\nAUTH\r\n$20000\r\n",
                        "*9999999\r\n",
                        "GET / HTTP/1.1\rHost: x\r\n",
                        "\0\r\n")) {
            assertThat(say(odd, 5))
                    .as(odd)
                    .startsWith("-ERR Protocol error: ")
                    .doesNotContain(SECRET)
                    .doesNotContain("PONG");
        }
    }

    @Test
    void largeValue_passesWithoutBeingHeld() throws Exception {
        openAsDefault();
        int size = 64 << 20;
        try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), wires.port())) {
            socket.setSoTimeout(60_000);
            byte[] chunk = new byte[1 << 20];
            var out = socket.getOutputStream();
            out.write(
                    ("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$" + size + "\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            for (int i = 0; i < size >> 20; i++) {
                out.write(chunk);
            }
            out.write(
                    "\r\n*2\r\n$6\r\nSTRLEN\r\n$3\r\nbig\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(
                            new String(
                                    socket.getInputStream().readNBytes(16),
                                    StandardCharsets.US_ASCII))
                    .isEqualTo("+OK\r\n:" + size + "\r\n");
        }
    }

    @Test
    void wrongPassword_isToldWithoutTheServersWords() throws Exception {
        open(new RedisLogin(Optional.empty(), new Secret("not-it"), Set.of()));
        assertThat(say("PING\r\n", 1))
                .isEqualTo(
                        "-ERR refused by the door: it is allowed, but the server refused the"
                                + " login\r\n");
        assertThat(wires.denials()).hasSize(1);
    }
}
