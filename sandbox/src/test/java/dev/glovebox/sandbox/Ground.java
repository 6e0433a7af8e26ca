package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.guest.Exit;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.sandbox.guest.WindowSize;
import dev.glovebox.sandbox.root.BaseRoot;
import dev.glovebox.sandbox.root.RootLayers;
import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/// Where the tests that need root try sandboxes: the sandboxes of one runtime in a temporary state
/// directory, and the attacking program, shown inside at `/attack`.
///
/// Its directory can be entered by everybody, so that the walls, and not a mode of the directory,
/// are what keeps a sandbox from a canary in it; and it lies where programs may have more than
/// their caller, which is not so of `/tmp` on every host.
final class Ground implements AutoCloseable {
    /// A command that keeps a processor busy.
    static final String SPIN = "while :; do :; done";

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long POLL_NANOS = 500_000;
    private static final int AGENT = 1000;
    private static final int BLOCK = 65_536;

    private final Path directory;
    private final Sandboxes sandboxes;

    private Ground(Path directory, Sandboxes sandboxes) {
        this.directory = directory;
        this.sandboxes = sandboxes;
    }

    /// What a command did.
    record Result(Exit exit, String output) {
        Map<String, Integer> numbers() {
            return Ground.numbers(output);
        }
    }

    static Ground open(RuntimeName runtime) throws IOException {
        Path directory = Files.createTempDirectory(Path.of("/var/lib"), "glovebox-it-");
        mode(directory, "rwxr-xr-x");
        Path attack = Files.createDirectories(directory.resolve("attack"));
        compile(attack.resolve("attack"));
        compile(attack.resolve("exhaust"));
        SandboxConfig config =
                new SandboxConfig(
                        directory.resolve("state"),
                        Optional.of(runtime),
                        SandboxConfig.DEFAULT_START_TIMEOUT);
        return new Ground(directory, Sandboxes.open(config));
    }

    Sandboxes sandboxes() {
        return sandboxes;
    }

    Path directory() {
        return directory;
    }

    /// A file of the host that everybody on it can read and write, with the word `canary` in it. It
    /// is shown in no sandbox.
    Path canary(String name) throws IOException {
        Path canary = Files.writeString(directory.resolve(name), "canary");
        mode(canary, "rw-rw-rw-");
        return canary;
    }

    /// A directory of the host in which everybody on it can make files. It is shown in no sandbox.
    Path openDirectory(String name) throws IOException {
        Path open = Files.createDirectories(directory.resolve(name));
        mode(open, "rwxrwxrwx");
        return open;
    }

    static void mode(Path path, String mode) throws IOException {
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    }

    /// A new directory owned by the agent.
    Path workspace(String name) throws IOException {
        Path workspace = Files.createDirectories(directory.resolve("workspaces").resolve(name));
        Files.setAttribute(workspace, "unix:uid", 1000);
        Files.setAttribute(workspace, "unix:gid", 1000);
        return workspace;
    }

    Sandbox sandbox(String name, Limits limits) throws IOException {
        return sandbox(name, Template.BASE, limits);
    }

    Sandbox sandbox(String name, Template template, Limits limits) throws IOException {
        return sandbox(name, template, RootLayers.NONE, limits);
    }

    /// A sandbox of these layers, whatever root the template names.
    Sandbox sandbox(String name, Template template, RootLayers layers, Limits limits)
            throws IOException {
        List<Mount> mounts =
                List.of(
                        new Mount(workspace(name), "/workspace", false),
                        new Mount(directory.resolve("attack"), "/attack", true));
        return sandboxes.create(
                new SandboxSpec(name, template, mounts, Optional.empty(), limits, Map.of()),
                layers);
    }

    static Result run(Sandbox sandbox, String... words) throws Exception {
        return run(sandbox, Optional.empty(), words);
    }

    static Result shell(Sandbox sandbox, String script) throws Exception {
        return run(sandbox, "/bin/bash", "-c", script);
    }

    /// Starts a script, its error output with the rest.
    static GuestProcess start(Sandbox sandbox, String script) {
        return sandbox.guest()
                .start(
                        new ProcessRequest(
                                List.of("/bin/bash", "-c", script),
                                sandbox.environment(),
                                "/",
                                Optional.empty(),
                                true));
    }

    /// Endless loops, two for each processor, as processes of the worker's own, until it is closed.
    static Closeable busyWorker() throws IOException {
        List<Process> loops = new ArrayList<>();
        Closeable end = () -> loops.forEach(Process::destroyForcibly);
        try {
            for (int i = 0; i < 2 * Runtime.getRuntime().availableProcessors(); i++) {
                loops.add(new ProcessBuilder("/bin/sh", "-c", SPIN).start());
            }
            return end;
        } catch (IOException e) {
            end.close();
            throw e;
        }
    }

    static Result onTerminal(Sandbox sandbox, String... words) throws Exception {
        return run(sandbox, Optional.of(new WindowSize(24, 80)), words);
    }

    /// The attacking program on the host, as root, and where version 1 has the scheduler's control
    /// groups from the top of them: in the worker's own nobody gets a real-time priority either.
    static Map<String, Integer> onHost(Path attack, String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of("/bin/sh", "-c"));
        command.add("echo 0 2>/dev/null >/sys/fs/cgroup/cpu/cgroup.procs; exec \"$0\" \"$@\"");
        command.add(attack.resolve("attack/attack").toString());
        command.addAll(List.of(words));
        return numbers(host(command.toArray(String[]::new)));
    }

    /// What a command says on the host, as root, on either of its outputs.
    static String host(String... words) throws Exception {
        Path output = Files.createTempFile("host", ".txt");
        try {
            Process process =
                    new ProcessBuilder(words)
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile())
                            .start();
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            return new String(Files.readAllBytes(output), StandardCharsets.ISO_8859_1);
        } finally {
            Files.delete(output);
        }
    }

    /// What a script says on the host with the ids that the agent of a living sandbox has there:
    /// what would be the agent's if there were no other wall.
    static String besideTheWalls(Sandbox sandbox, String script) throws Exception {
        int pid = sandbox.processes().iterator().next();
        // of gVisor's processes, that is root inside; of the others, pid 1, the agent itself
        int uid = (int) Files.getAttribute(Path.of("/proc/" + pid), "unix:uid");
        int block = uid - uid % BLOCK;
        String agent = Integer.toString(block + AGENT);
        return host(
                "setpriv",
                "--reuid=" + agent,
                "--regid=" + agent,
                "--clear-groups",
                "bash",
                "-c",
                script);
    }

    /// Whether a process of the host runs; one that has ended and was not yet waited for does not.
    static boolean lives(int pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return !stat.substring(stat.lastIndexOf(')')).startsWith(") Z");
        } catch (IOException e) {
            return false;
        }
    }

    static void await(String what, BooleanSupplier condition) {
        await(what, PATIENCE, condition);
    }

    static void await(String what, Duration patience, BooleanSupplier condition) {
        long end = System.nanoTime() + patience.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(end);
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    @Override
    public void close() throws IOException {
        sandboxes.close();
        BaseRoot.remove(directory);
    }

    static void compile(Path target) throws IOException {
        List<String> command =
                new ArrayList<>(
                        List.of("gcc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-o"));
        command.add(target.toString());
        try (var sources =
                Files.newDirectoryStream(Path.of("src/test/c"), target.getFileName() + "*.c")) {
            sources.forEach(source -> command.add(source.toAbsolutePath().toString()));
        }
        Process gcc =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(target.resolveSibling("gcc.log").toFile())
                        .start();
        try {
            assertThat(gcc.waitFor())
                    .as(Files.readString(target.resolveSibling("gcc.log")))
                    .isZero();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private static Result run(Sandbox sandbox, Optional<WindowSize> terminal, String... words)
            throws Exception {
        try (GuestProcess process =
                sandbox.guest()
                        .start(
                                new ProcessRequest(
                                        List.of(words),
                                        sandbox.environment(),
                                        "/",
                                        terminal,
                                        true))) {
            process.stdin().close();
            String output = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
            return new Result(process.waitFor(PATIENCE), output.replace("\r\n", "\n"));
        }
    }

    private static Map<String, Integer> numbers(String output) {
        Map<String, Integer> numbers = new TreeMap<>();
        for (String line : output.lines().toList()) {
            String[] words = line.split(" ", -1);
            if (words.length == 2 && words[1].matches("\\d+")) {
                numbers.put(words[0], Integer.valueOf(words[1]));
            }
        }
        return numbers;
    }
}
