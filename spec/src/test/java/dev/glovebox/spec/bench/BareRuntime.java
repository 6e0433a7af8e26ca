package dev.glovebox.spec.bench;

import dev.glovebox.linux.Trees;
import dev.glovebox.sandbox.RuntimeName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The yardstick for a cold start: the bare OCI runtime runs `/bin/true` by its own example
/// configuration (`crun spec`), on the host's `/usr`, with nothing of ours.
final class BareRuntime {
    private static final JsonMapper JSON = JsonMapper.shared();

    /// Runs in a mount namespace of its own without the cgroup v2 part of a hybrid host, which crun
    /// 1.8 refuses.
    private static final String LOOP =
            """
            umount /sys/fs/cgroup/unified 2>/dev/null
            for i in $(seq "$2"); do
              start=${EPOCHREALTIME/[.,]/}
              "$1" --root state run "bare-$$-$i" </dev/null || exit 1
              end=${EPOCHREALTIME/[.,]/}
              echo $((end - start))
            done
            """;

    private BareRuntime() {}

    /// Times of so many runs, one after another.
    static Figures run(RuntimeName runtime, int times) {
        try {
            Path bundle = Files.createTempDirectory("glovebox-bare-");
            try {
                prepare(bundle, runtime.program());
                List<String> micros =
                        output(
                                bundle,
                                "unshare",
                                "-m",
                                "bash",
                                "-c",
                                LOOP,
                                "bare",
                                runtime.program(),
                                Integer.toString(times));
                return new Figures(
                        micros.stream()
                                .map(Long::parseLong)
                                .map(us -> Duration.ofNanos(us * 1000))
                                .toList());
            } finally {
                Trees.remove(bundle);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("run the bare runtime", e);
        }
    }

    private static void prepare(Path bundle, String program) throws IOException {
        Path root = bundle.resolve("rootfs");
        for (String folder : List.of("usr", "proc", "dev", "sys", "tmp")) {
            Files.createDirectories(root.resolve(folder));
        }
        for (String link : List.of("bin", "lib", "lib64")) {
            Files.createSymbolicLink(root.resolve(link), Path.of("usr", link));
        }
        output(bundle, program, "spec");
        Path file = bundle.resolve("config.json");
        ObjectNode config = (ObjectNode) JSON.readTree(Files.readString(file));
        ObjectNode process = (ObjectNode) config.get("process");
        process.put("terminal", false).putArray("args").add("/bin/true");
        ObjectNode usr = ((ArrayNode) config.get("mounts")).addObject();
        usr.put("destination", "/usr").put("type", "bind").put("source", "/usr");
        usr.putArray("options").add("rbind").add("ro");
        Files.writeString(file, JSON.writeValueAsString(config));
    }

    private static List<String> output(Path folder, String... command) throws IOException {
        Path out = folder.resolve("out");
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        try {
            if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IllegalStateException(
                        String.join(" ", command) + ": " + Files.readString(out));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        return Files.readAllLines(out);
    }
}
