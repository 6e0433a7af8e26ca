package dev.glovebox.spec.bench;

import dev.glovebox.linux.Trees;
import dev.glovebox.spec.lab.NodeHome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Another way to run one command walled off, started from a shell that does nothing else: the
/// yardsticks for a cold start.
///
/// The shell runs in a mount namespace of its own without the cgroup v2 part of a hybrid host,
/// which crun 1.8 refuses. Standard input is a pipe: runsc gives what it finds there another owner,
/// and `/dev/null` is the host's. In a command `%` stands for a number that is new each time.
final class Peer implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final int MINUTES = 10;

    /// How `srt` is called: the program of the installed package, without what `npx` adds.
    static final String SRT = "node node_modules/.bin/srt /bin/true";

    private static final String ONE_BY_ONE =
            """
            umount /sys/fs/cgroup/unified 2>/dev/null
            exec 3< <(:)
            eval "$BEFORE" <&3 >&2 || exit 1
            trap 'eval "$AFTER" >&2' EXIT
            times=$1; shift
            for i in $(seq "$times"); do
              start=${EPOCHREALTIME/[.,]/}
              "${@//%/$$-$i}" <&3 >&2 || exit 1
              end=${EPOCHREALTIME/[.,]/}
              echo $((end - start))
            done
            """;

    private static final String AT_ONCE =
            """
            umount /sys/fs/cgroup/unified 2>/dev/null
            exec 3< <(:)
            times=$1; shift
            start=${EPOCHREALTIME/[.,]/}
            for i in $(seq "$times"); do
              { "${@//%/$$-$i}" <&3 >&2 || echo failed; } &
            done
            wait
            end=${EPOCHREALTIME/[.,]/}
            echo $((end - start))
            """;

    private final String name;
    private final Path folder;
    private final Around around;
    private final List<String> command;

    private Peer(String name, Path folder, Around around, List<String> command) {
        this.name = name;
        this.folder = folder;
        this.around = around;
        this.command = command;
    }

    /// What the shell does before the first and after the last run.
    private record Around(String before, String after) {
        static final Around NOTHING = new Around("", "");

        static Around container(String runtime) {
            return new Around(
                    runtime + " run --detach bare-exec", runtime + " delete --force bare-exec");
        }
    }

    /// The bare OCI runtime by its own example configuration (`crun spec`), on the host's `/usr`.
    static Peer runtime(String program) {
        return in(
                "bare `" + program + " run`",
                folder -> bundle(folder, program, "/bin/true"),
                program,
                "--root",
                "state",
                "run",
                "bare-%");
    }

    /// gVisor on the platform that runs anywhere, in the network namespace it is started in.
    static Peer gvisor() {
        return in(
                "bare `runsc run`",
                folder -> bundle(folder, "runsc", "/bin/true"),
                "runsc",
                "--root",
                "state",
                "--platform=ptrace",
                "--network=none",
                "run",
                "bare-%");
    }

    /// The runtime's own way to start a process in a container that runs.
    static Peer exec(String program) {
        return execBy("bare `" + program + " exec`", program, program + " --root state");
    }

    /// gVisor's, on the platform that runs anywhere.
    static Peer gvisorExec() {
        return execBy(
                "bare `runsc exec`",
                "runsc",
                "runsc --root state --platform=ptrace --network=none");
    }

    private static Peer execBy(String name, String program, String runtime) {
        List<String> command = new ArrayList<>(List.of(runtime.split(" ", -1)));
        command.addAll(List.of("exec", "bare-exec", "/bin/true"));
        return in(
                name,
                folder -> bundle(folder, program, "/bin/sleep", "100000"),
                Around.container(runtime),
                command.toArray(String[]::new));
    }

    /// Bubblewrap with all namespaces, the host's `/usr` and nothing else.
    static Peer bubblewrap() {
        return in(
                "`bwrap`",
                _ -> {},
                "bwrap",
                "--unshare-all",
                "--die-with-parent",
                "--ro-bind",
                "/usr",
                "/usr",
                "--symlink",
                "usr/bin",
                "/bin",
                "--symlink",
                "usr/lib",
                "/lib",
                "--symlink",
                "usr/lib64",
                "/lib64",
                "--proc",
                "/proc",
                "--dev",
                "/dev",
                "--tmpfs",
                "/tmp",
                "/bin/true");
    }

    /// `srt` of the npm package `@anthropic-ai/sandbox-runtime` ([#SRT]).
    static Peer sandboxRuntime() {
        List<String> srt = NodeHome.ready().packaged("srt");
        return in("`srt`", _ -> {}, srt.get(0), srt.get(1), "/bin/true");
    }

    /// The host itself, with no walls.
    static Peer none() {
        return in("no walls", _ -> {}, "/bin/true");
    }

    String name() {
        return name;
    }

    /// Times of so many runs of `/bin/true`, one after another.
    Figures oneByOne(int times) {
        return new Figures(
                shell(ONE_BY_ONE, times).stream()
                        .map(us -> Duration.ofNanos(Long.parseLong(us) * 1000))
                        .toList());
    }

    /// The time until so many runs, all started at once, have ended.
    Duration atOnce(int times) {
        List<String> lines = shell(AT_ONCE, times);
        if (lines.size() != 1) {
            throw new IllegalStateException(name + ": " + lines);
        }
        return Duration.ofNanos(Long.parseLong(lines.getFirst()) * 1000);
    }

    @Override
    public void close() {
        Trees.remove(folder);
    }

    private interface Preparation {
        void in(Path folder) throws IOException;
    }

    private static Peer in(String name, Preparation preparation, String... command) {
        return in(name, preparation, Around.NOTHING, command);
    }

    private static Peer in(String name, Preparation preparation, Around around, String... command) {
        try {
            Path folder = Files.createTempDirectory("glovebox-peer-");
            preparation.in(folder);
            return new Peer(name, folder, around, List.of(command));
        } catch (IOException e) {
            throw new UncheckedIOException("prepare " + name, e);
        }
    }

    private List<String> shell(String script, int times) {
        Stream<String> start =
                Stream.of(
                        "env",
                        "BEFORE=" + around.before(),
                        "AFTER=" + around.after(),
                        "unshare",
                        "-m",
                        "bash",
                        "-c",
                        script,
                        "peer",
                        Integer.toString(times));
        try {
            return output(folder, Stream.concat(start, command.stream()).toList());
        } catch (IOException e) {
            throw new UncheckedIOException("run " + name, e);
        }
    }

    private static void bundle(Path bundle, String program, String... runs) throws IOException {
        Path root = bundle.resolve("rootfs");
        for (String directory : List.of("usr", "proc", "dev", "sys", "tmp")) {
            Files.createDirectories(root.resolve(directory));
        }
        for (String link : List.of("bin", "lib", "lib64")) {
            Files.createSymbolicLink(root.resolve(link), Path.of("usr", link));
        }
        output(bundle, List.of(program, "spec"));
        Path file = bundle.resolve("config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(Files.readString(file));
        ObjectNode process = (ObjectNode) config.get("process");
        ArrayNode words = process.put("terminal", false).putArray("args");
        List.of(runs).forEach(words::add);
        ObjectNode usr = ((ArrayNode) config.get("mounts")).addObject();
        usr.put("destination", "/usr").put("type", "bind").put("source", "/usr");
        usr.putArray("options").add("rbind").add("ro");
        Files.writeString(file, JSON.writeValueAsString(config));
    }

    private static List<String> output(Path folder, List<String> command) throws IOException {
        Path out = folder.resolve("out");
        Path errors = folder.resolve("errors");
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectError(errors.toFile())
                        .redirectOutput(out.toFile())
                        .start();
        try {
            if (!process.waitFor(MINUTES, TimeUnit.MINUTES) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException(
                        String.join(" ", command) + ": " + Files.readString(errors));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        return Files.readAllLines(out);
    }
}
