package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Logins over SSH and Redis by a whole door: the client stands in its namespace, the policy is a
/// file, the secrets are files outside.
class DoorWiresIT {
    private static final String PASSWORD = "hush-wires-0123456789";

    @TempDir static Path shared;
    private static Process redis;
    private static Process ssh;
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
                        "port " + redisPort + "\nbind 127.0.0.1\nsave \"\"\nrequirepass " + PASSWORD + "\n");
        redis = start("redis.log", "redis-server", config.toString());
        Programs.awaitPort(redis, redisPort);
        sshPort = Programs.freePort();
        Files.createDirectories(Path.of("/run/sshd"));
        for (String name : List.of("host", "user")) {
            Programs.ok(
                    "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                    shared.resolve(name).toString());
        }
        Files.writeString(
                shared.resolve("known"), "git.test " + Files.readString(shared.resolve("host.pub")));
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
                "git", "--git-dir", shared + "/team/app.git", "-c", "user.name=a", "-c",
                "user.email=a@b", "commit-tree", "-m", "first",
                "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
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
                                  - {name: git, host: git.test, protocol: ssh, action: allow, connect: "127.0.0.1:SSH",
                                     credential: key, methods: [FETCH], paths: ["DIR/team/*"]}
                                credentials:
                                  - {name: cache, redis: {}, source: {file: PASSWORD}}
                                  - {name: key, ssh-key: {user: root, known-hosts: DIR/known}, source: {file: DIR/user}}
                                """
                                        .replace("REDIS", "" + redisPort)
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
                Files.writeString(
                        directory.resolve("inside-known"),
                        String.join("\n", door.sshKnownHosts()) + "\n");
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
        assertThat(inside.run("redis-cli", "-h", "cache.test", "CONFIG", "GET", "requirepass").output())
                .contains("refused by the door")
                .doesNotContain(PASSWORD);
        assertThat(inside.run("redis-cli", "-h", "strict.test", "PING").output())
                .contains("certificate cannot be verified, or TLS failed");
        assertThat(door.denialsSince(start)).extracting(Denial::destination).contains("strict.test");
    }

    @Test
    void git_fetchesOverSshFromInsideWhatTheRuleGives() throws Exception {
        assertThat(git("/team/app.git")).isEqualTo(new Inside.Result(0, ""));
        assertThat(git("/other/app.git").output()).contains("rule \"git\"", "is not given");
        assertThat(door.denialsSince(start)).extracting(Denial::destination).containsOnly("git.test");
    }

    /// E1.
    @Test
    void secrets_areNowhereInside() throws Exception {
        assertThat(git("/team/app.git").exit()).isZero();
        String key = Files.readString(shared.resolve("user")).lines().skip(2).findFirst().orElseThrow();
        Programs.ok("chmod", "600", shared.resolve("user").toString());
        assertThat(inside.run("cat", shared.resolve("user").toString()).output()).contains("denied");
        assertThat(inside.run("sh", "-c", "cat /proc/self/environ /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'").output())
                .doesNotContain(PASSWORD)
                .doesNotContain(key);
        assertThat(String.join("\n", door.sshKnownHosts()) + door.terms()).doesNotContain(PASSWORD).doesNotContain(key);
    }

    @Test
    void policyThatIsTakenAway_cutsTheLogin() throws Exception {
        Process client = inside.start("redis-cli", "-h", "cache.test", "BLPOP", "nothing", "50");
        long end = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < end
                && !Programs.run("redis-cli", "-p", "" + redisPort, "-a", PASSWORD, "CLIENT", "LIST").output().contains("cmd=blpop")) {
            Thread.onSpinWait();
        }
        door.policy(EgressPolicy.DENY_ALL);
        assertThat(client.waitFor(30, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
        assertThat(new String(client.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)).contains("Error");
    }
}
