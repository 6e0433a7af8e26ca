package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Logins over SSH, PostgreSQL and Redis by a whole door: the client stands in its namespace, the
/// policy is a file, the secrets are files outside, the servers are real.
class LoginIT {
    private static final String PASSWORD = "hush-wires-0123456789";

    @TempDir static Path shared;
    private static Process redis;
    private static Process ssh;
    private static Process postgres;
    private static int postgresPort;
    private static int redisPort;
    private static int sshPort;

    @TempDir Path directory;
    private Doors doors;
    private Door door;
    private Inside inside;
    private Instant start;

    @BeforeAll
    static void serve() throws Exception {
        Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxr-xr-x"));
        redisPort = Programs.freePort();
        Path config =
                Files.writeString(
                        shared.resolve("redis.conf"),
                        "port "
                                + redisPort
                                + "\nbind 127.0.0.1\nsave \"\"\nrequirepass "
                                + PASSWORD
                                + "\n");
        redis = start("redis.log", "redis-server", config.toString());
        Programs.awaitPort(redis, redisPort);
        servePostgres();
        sshPort = Programs.freePort();
        Files.createDirectories(Path.of("/run/sshd"));
        for (String name : List.of("host", "user")) {
            Programs.ok(
                    "ssh-keygen",
                    "-q",
                    "-t",
                    "ed25519",
                    "-N",
                    "",
                    "-f",
                    shared.resolve(name).toString());
        }
        Files.writeString(
                shared.resolve("known"),
                "git.test " + Files.readString(shared.resolve("host.pub")));
        Path sshd =
                Files.writeString(
                        shared.resolve("sshd_config"),
                        """
                        Port PORT
                        ListenAddress 127.0.0.1
                        HostKey DIR/host
                        AuthorizedKeysFile DIR/user.pub
                        PasswordAuthentication no
                        UsePAM no
                        StrictModes no
                        PermitRootLogin yes
                        PidFile none
                        """
                                .replace("PORT", "" + sshPort)
                                .replace("DIR", shared.toString()));
        ssh = start("sshd.log", "/usr/sbin/sshd", "-D", "-e", "-f", sshd.toString());
        Programs.awaitPort(ssh, sshPort);
        Programs.ok("git", "init", "-q", "-b", "main", "--bare", shared + "/team/app.git");
        Programs.ok(
                "git",
                "--git-dir",
                shared + "/team/app.git",
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b",
                "commit-tree",
                "-m",
                "first",
                "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    }

    /// One cluster with one role that has the password, and two databases.
    private static void servePostgres() throws Exception {
        Path programs = Path.of("/usr/lib/postgresql/15/bin");
        postgresPort = Programs.freePort();
        Path data = Files.createDirectory(shared.resolve("data"));
        Programs.ok("chown", "nobody", data.toString());
        String[] asNobody = {"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"};
        Programs.ok(
                asNobody[0],
                asNobody[1],
                asNobody[2],
                asNobody[3],
                programs.resolve("initdb").toString(),
                "-N",
                "-A",
                "trust",
                "-U",
                "postgres",
                "-D",
                data.toString());
        Files.writeString(
                data.resolve("pg_hba.conf"),
                "local all postgres trust\nhost all app 127.0.0.1/32 scram-sha-256\n");
        postgres =
                start(
                        "postgres.log",
                        asNobody[0],
                        asNobody[1],
                        asNobody[2],
                        asNobody[3],
                        programs.resolve("postgres").toString(),
                        "-D",
                        data.toString(),
                        "-p",
                        "" + postgresPort,
                        "-h",
                        "127.0.0.1",
                        "-k",
                        data.toString(),
                        "-c",
                        "fsync=off");
        Programs.awaitPort(postgres, postgresPort);
        Programs.Result made =
                Programs.run(
                        Map.of(),
                        "create role app login password '"
                                + PASSWORD
                                + "'; create database app; create database payroll;",
                        List.of(
                                "psql",
                                "-v",
                                "ON_ERROR_STOP=1",
                                "-h",
                                data.toString(),
                                "-p",
                                "" + postgresPort,
                                "-U",
                                "postgres"));
        assertThat(made.exit()).as(made.output()).isZero();
    }

    private static Process start(String log, String... command) throws Exception {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(shared.resolve(log).toFile())
                .start();
    }

    @AfterAll
    static void stop() throws Exception {
        Programs.stop(redis);
        Programs.stop(ssh);
        Programs.stop(postgres);
    }

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path password = Files.writeString(directory.resolve("password"), PASSWORD + "\n");
        Files.setPosixFilePermissions(password, PosixFilePermissions.fromString("rw-------"));
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")));
        door =
                doors.open(
                        "one",
                        EgressPolicy.parse(
                                """
                                rules:
                                  - {name: cache, host: cache.test, protocol: redis, action: allow, connect: "127.0.0.1:REDIS",
                                     credential: cache, insecure-credential: true}
                                  - {name: strict, host: strict.test, protocol: redis, action: allow, connect: "127.0.0.1:REDIS",
                                     credential: cache}
                                  - {name: plain, host: plain.test, protocol: redis, action: allow, connect: "127.0.0.1:REDIS"}
                                  - {name: few, host: few.test, protocol: redis, action: allow, connect: "127.0.0.1:REDIS",
                                     credential: few, insecure-credential: true}
                                  - {name: short, host: short.test, protocol: redis, action: allow, connect: "127.0.0.1:REDIS",
                                     credential: cache, insecure-credential: true, budget: {bytes: 4096, per: 1h}}
                                  - {name: broken, host: broken.test, protocol: redis, action: allow, connect: "127.0.0.1:REDIS",
                                     credential: broken, insecure-credential: true}
                                  - {name: data, host: data.test, protocol: postgres, action: allow, connect: "127.0.0.1:POSTGRES",
                                     credential: data, insecure-credential: true, paths: [/app]}
                                  - {name: git, host: git.test, protocol: ssh, action: allow, connect: "127.0.0.1:SSH",
                                     credential: key, methods: [FETCH], paths: ["DIR/team/*"]}
                                credentials:
                                  - {name: cache, redis: {}, source: {file: PASSWORD}}
                                  - {name: few, redis: {}, source: {file: PASSWORD}, budget: {requests: 2, per: 1h}}
                                  - {name: broken, redis: {}, source: {command: [/bin/false], ttl: 1h}}
                                  - {name: data, postgres: {user: app}, source: {file: PASSWORD}}
                                  - {name: key, ssh-key: {user: root, known-hosts: DIR/known}, source: {file: DIR/user}}
                                """
                                        .replace("REDIS", "" + redisPort)
                                        .replace("POSTGRES", "" + postgresPort)
                                        .replace("SSH", "" + sshPort)
                                        .replace("PASSWORD", password.toString())
                                        .replace("DIR", shared.toString())));
        inside = new Inside(door, directory);
        start = Instant.now();
    }

    @AfterEach
    void close() {
        doors.close();
    }

    private Inside.Result git(String path) throws Exception {
        Path known =
                Files.copy(
                        door.trustFiles().knownHosts(),
                        directory.resolve("inside-known"),
                        StandardCopyOption.REPLACE_EXISTING);
        return inside.run(
                "env",
                "HOME=/nonexistent",
                "GIT_SSH_COMMAND=ssh -F none -o BatchMode=yes -o IdentityFile=none -o"
                        + " UserKnownHostsFile="
                        + known,
                "git",
                "ls-remote",
                "ssh://root@git.test" + shared + path);
    }

    @Test
    void redis_isLoggedInToFromInside() throws Exception {
        assertThat(inside.run("redis-cli", "-h", "plain.test", "PING").output()).contains("NOAUTH");
        assertThat(inside.run("redis-cli", "-h", "cache.test", "PING").output())
                .isEqualTo("PONG\n");
        assertThat(
                        inside.run("redis-cli", "-h", "cache.test", "CONFIG", "GET", "requirepass")
                                .output())
                .contains("refused by the door")
                .doesNotContain(PASSWORD);
        assertThat(inside.run("redis-cli", "-h", "strict.test", "PING").output())
                .contains("did not begin TLS in time");
        assertThat(door.denialsSince(start))
                .extracting(Denial::destination)
                .contains("strict.test");
    }

    private Inside.Result psql(String user, String database, String query) throws Exception {
        return inside.run(
                "psql",
                "-X",
                "-t",
                "-A",
                "-h",
                "data.test",
                "-U",
                user,
                "-d",
                database,
                "-c",
                query);
    }

    @Test
    void postgres_isLoggedInToFromInside() throws Exception {
        assertThat(
                        Programs.run(
                                        Map.of("PGCONNECT_TIMEOUT", "5"),
                                        "",
                                        List.of(
                                                "psql",
                                                "-w",
                                                "-h",
                                                "127.0.0.1",
                                                "-p",
                                                "" + postgresPort,
                                                "-U",
                                                "app",
                                                "-d",
                                                "app",
                                                "-c",
                                                "select 1"))
                                .output())
                .contains("no password supplied");
        assertThat(psql("app", "app", "select current_user").output()).isEqualTo("app\n");
        assertThat(psql("app", "payroll", "select 1").output())
                .contains("does not give this database");
        assertThat(psql("postgres", "app", "select 1").output())
                .contains("logs in as user \"app\"");
    }

    /// E20.
    @Test
    void spentBudgets_endTheLogins() throws Exception {
        for (int i = 0; i < 2; i++) {
            assertThat(inside.run("redis-cli", "-h", "few.test", "PING").output())
                    .isEqualTo("PONG\n");
        }
        assertThat(inside.run("redis-cli", "-h", "few.test", "PING").output())
                .doesNotContain("PONG");
        assertThat(inside.run("redis-cli", "-h", "short.test", "PING").output())
                .isEqualTo("PONG\n");
        assertThat(inside.run("redis-cli", "-h", "short.test", "ECHO", "x".repeat(5000)).output())
                .doesNotContain("xxx");
        assertThat(inside.run("redis-cli", "-h", "short.test", "PING").output())
                .doesNotContain("PONG");
        assertThat(door.denialsSince(start))
                .extracting(Denial::reason)
                .contains(
                        "the budget of credential \"few\" is spent for now",
                        "the budget of rule \"short\" is spent for now");
    }

    @Test
    void rotatedSecret_isUsedByTheNextLogin_andOneThatCannotBeHadByNone() throws Exception {
        Files.writeString(directory.resolve("password"), "another\n");
        assertThat(inside.run("redis-cli", "-h", "cache.test", "PING").output())
                .contains("refused the login");
        Files.writeString(directory.resolve("password"), PASSWORD + "\n");
        assertThat(inside.run("redis-cli", "-h", "cache.test", "PING").output())
                .isEqualTo("PONG\n");
        assertThat(inside.run("redis-cli", "-h", "broken.test", "PING").output())
                .doesNotContain("PONG");
        assertThat(door.denialsSince(start))
                .extracting(Denial::reason)
                .anyMatch(reason -> reason.startsWith("credential \"broken\" cannot be had"));
    }

    @Test
    void git_fetchesOverSshFromInsideWhatTheRuleGives() throws Exception {
        assertThat(git("/team/app.git")).isEqualTo(new Inside.Result(0, ""));
        assertThat(git("/other/app.git").output()).contains("rule \"git\"", "is not given");
        assertThat(door.denialsSince(start))
                .extracting(Denial::destination)
                .containsOnly("git.test");
    }

    /// E1.
    @Test
    void secrets_areNowhereInside() throws Exception {
        assertThat(git("/team/app.git").exit()).isZero();
        String key =
                Files.readString(shared.resolve("user")).lines().skip(2).findFirst().orElseThrow();
        Programs.ok("chmod", "600", shared.resolve("user").toString());
        assertThat(inside.run("cat", shared.resolve("user").toString()).output())
                .contains("denied");
        assertThat(
                        inside.run(
                                        "sh",
                                        "-c",
                                        "cat /proc/self/environ /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'")
                                .output())
                .doesNotContain(PASSWORD)
                .doesNotContain(key);
        assertThat(Files.readString(door.trustFiles().knownHosts()) + door.terms())
                .contains("git.test")
                .doesNotContain(PASSWORD)
                .doesNotContain(key);
    }

    @Test
    void policyThatIsTakenAway_cutsTheLogin() throws Exception {
        Process client = inside.start("redis-cli", "-h", "cache.test", "BLPOP", "nothing", "50");
        long end = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < end
                && !Programs.run(
                                "redis-cli", "-p", "" + redisPort, "-a", PASSWORD, "CLIENT", "LIST")
                        .output()
                        .contains("cmd=blpop")) {
            LockSupport.parkNanos(20_000_000);
        }
        door.policy(EgressPolicy.DENY_ALL);
        assertThat(client.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .contains("Error");
    }
}
