package dev.glovebox.egress.ssh;

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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A real OpenSSH server behind the door's login, OpenSSH and git in front of it.
class SshGateIT {
    private static final String HOST = "real.test";

    @TempDir static Path directory;
    private static Process server;
    private static int port;

    private final HostKey hostKey = HostKey.create();
    private LoopbackWires wires;

    @BeforeAll
    static void serve() throws Exception {
        port = Programs.freePort();
        Files.createDirectories(Path.of("/run/sshd"));
        Programs.ok("chmod", "755", directory.toString());
        keygen("host");
        keygen("other");
        keygen("user");
        Programs.ok(
                "cp",
                directory.resolve("user.pub").toString(),
                directory.resolve("authorized").toString());
        Path config =
                Files.writeString(
                        directory.resolve("sshd_config"),
                        """
                        Port PORT
                        ListenAddress 127.0.0.1
                        HostKey DIR/host
                        AuthorizedKeysFile DIR/authorized
                        PasswordAuthentication no
                        UsePAM no
                        StrictModes no
                        PermitRootLogin yes
                        PidFile none
                        AcceptEnv *
                        """
                                .replace("PORT", "" + port)
                                .replace("DIR", directory.toString()));
        server =
                new ProcessBuilder("/usr/sbin/sshd", "-D", "-e", "-f", config.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("sshd.log").toFile())
                        .start();
        Programs.awaitPort(server, port);
        Files.writeString(directory.resolve("known"), known("host"));
        Files.writeString(directory.resolve("known-other"), known("other"));
        repository();
    }

    private static void keygen(String name) throws Exception {
        Programs.ok(
                "ssh-keygen",
                "-q",
                "-t",
                "ed25519",
                "-N",
                "",
                "-f",
                directory.resolve(name).toString());
    }

    private static String known(String key) throws IOException {
        return "[" + HOST + "]:" + port + " " + Files.readString(directory.resolve(key + ".pub"));
    }

    private static void repository() throws Exception {
        Path work = directory.resolve("work");
        for (List<String> step :
                List.of(
                        List.of(
                                "git",
                                "init",
                                "-q",
                                "-b",
                                "main",
                                "--bare",
                                directory + "/team/app.git"),
                        List.of("git", "init", "-q", "-b", "main", work.toString()))) {
            Programs.ok(step.toArray(String[]::new));
        }
        Files.write(work.resolve("file"), new byte[3_000_000]);
        commit(work, "first");
        Programs.ok(
                "git", "-C", work.toString(), "push", "-q", directory + "/team/app.git", "main");
    }

    private static void commit(Path work, String message) throws Exception {
        byte[] noise = new byte[2_000_000];
        new Random(20261124).nextBytes(noise);
        Files.write(work.resolve("noise"), noise);
        Files.writeString(work.resolve("text"), message);
        Programs.ok("git", "-C", work.toString(), "add", ".");
        Programs.ok(
                "git",
                "-C",
                work.toString(),
                "-c",
                "user.name=a",
                "-c",
                "user.email=a@b",
                "commit",
                "-qm",
                message);
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

    private void open(String knownHosts, String key, String... methods) throws IOException {
        if (wires != null) {
            wires.close();
        }
        SshLogin login =
                new SshLogin(
                        "root",
                        new Secret(Files.readString(directory.resolve(key))),
                        directory.resolve(knownHosts),
                        new CommandRules(
                                Set.of(methods), path -> path.startsWith(directory + "/team/")));
        wires =
                new LoopbackWires(
                        port,
                        Optional.empty(),
                        Duration.ofSeconds(30),
                        wire -> new SshGate(wire, login, hostKey, HOST, port));
        Files.writeString(directory.resolve("inside"), hostKey.knownHost("127.0.0.1") + "\n");
    }

    private List<String> options(String... more) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "ssh",
                                "-F",
                                "none",
                                "-o",
                                "BatchMode=yes",
                                "-o",
                                "IdentityFile=none",
                                "-o",
                                "IdentityAgent=none",
                                "-o",
                                "GlobalKnownHostsFile=none",
                                "-o",
                                "UserKnownHostsFile=" + directory.resolve("inside"),
                                "-p",
                                "" + wires.port()));
        command.addAll(List.of(more));
        return command;
    }

    private Programs.Result ssh(String input, String... more) throws Exception {
        return Programs.run(Map.of(), input, options(more));
    }

    private Programs.Result git(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("git"));
        command.addAll(List.of(arguments));
        return Programs.run(Map.of("GIT_SSH_COMMAND", String.join(" ", options())), "", command);
    }

    private String url(String path) {
        return "ssh://root@127.0.0.1:" + wires.port() + directory + path;
    }

    @Test
    void gitClonesAndPushes_withAKeyItDoesNotHave() throws Exception {
        assertThat(
                        Programs.run(
                                        "ssh",
                                        "-F",
                                        "none",
                                        "-o",
                                        "BatchMode=yes",
                                        "-o",
                                        "StrictHostKeyChecking=no",
                                        "-o",
                                        "UserKnownHostsFile=/dev/null",
                                        "-o",
                                        "IdentityFile=none",
                                        "-p",
                                        "" + port,
                                        "root@127.0.0.1",
                                        "true")
                                .output())
                .contains("Permission denied");
        open("known", "user", "fetch", "push");
        Path clone = directory.resolve("clone");
        Programs.Result cloned = git("clone", "-q", url("/team/app.git"), clone.toString());
        assertThat(cloned.exit()).as(cloned.output()).isZero();
        commit(clone, "second");
        Programs.Result pushed = git("-C", clone.toString(), "push", "-q", "origin", "main");
        assertThat(pushed.exit()).as(pushed.output()).isZero();
        assertThat(
                        Programs.ok(
                                "git",
                                "--git-dir",
                                directory + "/team/app.git",
                                "log",
                                "--format=%s",
                                "main"))
                .startsWith("second\n");
        assertThat(wires.denials()).isEmpty();
    }

    @Test
    void repositoryOrMethodBesidesTheRule_isRefusedAndNotDialled() throws Exception {
        open("known", "user");
        assertThat(git("ls-remote", url("/team/app.git")).output()).contains("refs/heads/main");
        int before = wires.dialled();
        assertThat(git("ls-remote", url("/secret.git")).output())
                .contains("rule \"wire\"", "is not given");
        assertThat(git("push", url("/team/app.git"), "main:x").exit()).isNotZero();
        Programs.Result push =
                ssh("", "root@127.0.0.1", "git-receive-pack '" + directory + "/team/app.git'");
        assertThat(push.exit()).isEqualTo(126);
        assertThat(push.output()).contains("git push is not given");
        for (String smuggled :
                List.of(
                        "git-upload-pack '"
                                + directory
                                + "/team/app.git'; touch "
                                + directory
                                + "/pwned",
                        "sh",
                        "touch " + directory + "/pwned")) {
            assertThat(ssh("", "root@127.0.0.1", smuggled).exit()).as(smuggled).isEqualTo(126);
        }
        assertThat(directory.resolve("pwned")).doesNotExist();
        assertThat(wires.dialled()).isEqualTo(before);
        assertThat(wires.denials()).isNotEmpty();
    }

    @Test
    void plainCommand_hasItsStreamsAndItsStatus() throws Exception {
        open("known", "user", "exec");
        assertThat(ssh("hello", "root@127.0.0.1", "cat; echo to-err >&2; exit 7"))
                .satisfies(result -> {
                    assertThat(result.exit()).isEqualTo(7);
                    assertThat(result.output()).contains("hello", "to-err");
                });
        assertThat(ssh("", "root@127.0.0.1", "head -c 50000000 /dev/zero | tr '\\0' x").output())
                .hasSize(50_000_000);
        assertThat(ssh("y".repeat(20_000_000), "root@127.0.0.1", "wc -c").output().trim())
                .isEqualTo("20000000");
    }

    @Test
    void environmentAndForwardings_doNotPass() throws Exception {
        open("known", "user", "exec");
        Programs.Result env =
                ssh(
                        "",
                        "-o",
                        "SetEnv=LD_PRELOAD=/x GIT_PROTOCOL=version=2",
                        "root@127.0.0.1",
                        "env");
        assertThat(env.output()).contains("GIT_PROTOCOL=version=2").doesNotContain("LD_PRELOAD");
        assertThat(ssh("", "-o", "SetEnv=GIT_PROTOCOL=$(x)", "root@127.0.0.1", "env").output())
                .doesNotContain("GIT_PROTOCOL");
        assertThat(ssh("", "-W", "127.0.0.1:" + port, "root@127.0.0.1").output())
                .doesNotContain("SSH-2.0")
                .contains("open failed");
        assertThat(
                        ssh(
                                        "",
                                        "-o",
                                        "ExitOnForwardFailure=yes",
                                        "-R",
                                        "0:127.0.0.1:" + port,
                                        "root@127.0.0.1",
                                        "true")
                                .output())
                .contains("remote port forwarding failed");
        assertThat(ssh("", "-s", "root@127.0.0.1", "sftp").output())
                .contains("subsystem request failed");
        assertThat(ssh("id\n", "-T", "root@127.0.0.1").output())
                .doesNotContain("uid=")
                .contains("shell request failed");
        assertThat(ssh("", "-A", "root@127.0.0.1", "echo agent=$SSH_AUTH_SOCK").output())
                .isEqualTo("agent=\n");
    }

    @Test
    void otherUser_isRefused() throws Exception {
        open("known", "user", "exec");
        assertThat(ssh("", "root@127.0.0.1", "id -un").output()).isEqualTo("root\n");
        int before = wires.dialled();
        assertThat(ssh("", "nobody@127.0.0.1", "id -un").output()).contains("logs in as user root");
        assertThat(wires.dialled()).isEqualTo(before);
    }

    @Test
    void hostWithAnotherKey_isNotLoggedInTo() throws Exception {
        open("known", "user", "exec");
        assertThat(ssh("", "root@127.0.0.1", "echo in").output()).isEqualTo("in\n");
        open("known-other", "user", "exec");
        Programs.Result refused = ssh("", "root@127.0.0.1", "echo in");
        assertThat(refused.exit()).isEqualTo(255);
        assertThat(refused.output()).contains("key is not the known one");
        assertThat(wires.denials()).hasSize(1);
        Files.writeString(
                directory.resolve("known-none"), known("host").replace(HOST, "else.test"));
        open("known-none", "user", "exec");
        assertThat(ssh("", "root@127.0.0.1", "echo in").output())
                .contains("has no key in the known-hosts file");
        assertThat(wires.dialled()).isZero();
        Files.writeString(
                directory.resolve("known-revoked"), known("host") + "@revoked " + known("host"));
        open("known-revoked", "user", "exec");
        assertThat(ssh("", "root@127.0.0.1", "echo in").exit()).isEqualTo(255);
    }

    @Test
    void keyThatTheServerDoesNotTake_isTold() throws Exception {
        open("known", "other", "exec");
        Programs.Result refused = ssh("", "root@127.0.0.1", "true");
        assertThat(refused.exit()).isEqualTo(255);
        assertThat(refused.output())
                .contains("the server refused the login")
                .doesNotContain("PRIVATE");
    }

    @Test
    void noiseAndSlowClients_areCutOff() throws Exception {
        open("known", "user", "exec");
        Random random = new Random(20261124);
        for (int round = 0; round < 50; round++) {
            byte[] noise = new byte[random.nextInt(2000) + 1];
            random.nextBytes(noise);
            try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), wires.port())) {
                socket.setSoTimeout(60_000);
                if (round % 2 == 0) {
                    socket.getOutputStream()
                            .write("SSH-2.0-noise\r\n".getBytes(StandardCharsets.US_ASCII));
                }
                socket.getOutputStream().write(noise);
                socket.shutdownOutput();
                socket.getInputStream().readAllBytes();
            } catch (IOException e) {
                // a reset is as good
            }
        }
        assertThat(wires.dialled()).isZero();
        assertThat(ssh("", "root@127.0.0.1", "echo in").output()).isEqualTo("in\n");
        wires.close();
        SshLogin login =
                new SshLogin(
                        "root",
                        new Secret("x"),
                        directory.resolve("known"),
                        new CommandRules(Set.of(), _ -> true));
        wires =
                new LoopbackWires(
                        port,
                        Optional.empty(),
                        Duration.ofMillis(500),
                        wire -> new SshGate(wire, login, hostKey, HOST, port));
        try (Socket socket = new Socket(InetAddress.ofLiteral("127.0.0.1"), wires.port())) {
            socket.setSoTimeout(60_000);
            assertThat(
                            new String(
                                    socket.getInputStream().readAllBytes(),
                                    StandardCharsets.ISO_8859_1))
                    .startsWith("SSH-2.0-");
        }
        assertThat(wires.denials()).contains("no SSH login came in time");
    }
}
