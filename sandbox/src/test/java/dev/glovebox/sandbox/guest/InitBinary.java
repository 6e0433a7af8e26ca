package dev.glovebox.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// glovebox-init as the tests run it: built from source by its own script, once for each variant.
final class InitBinary {
    static final InitBinary STATIC = new InitBinary(List.of());
    static final InitBinary SANITIZED = new InitBinary(List.of("--sanitize"));

    /// A report ends the program with 99. Leaks are not looked for: nothing is allocated, and the
    /// search needs a dumpable process.
    static final String SANITIZER_OPTIONS = "exitcode=99:detect_leaks=0";

    private static final Path SOURCE = Path.of("src/main/c").toAbsolutePath();

    private final List<String> options;
    private @Nullable Path built;

    private InitBinary(List<String> options) {
        this.options = options;
    }

    /// Path of the program, in a directory that any uid can reach.
    synchronized Path path() {
        Path path = built == null ? build() : built;
        built = path;
        return path;
    }

    private Path build() {
        try {
            Path directory = Files.createTempDirectory("glovebox-init-");
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            Path output = directory.resolve("glovebox-init");
            directory.toFile().deleteOnExit();
            output.toFile().deleteOnExit();
            List<String> command = new ArrayList<>();
            command.add(SOURCE.resolve("build.sh").toString());
            command.add(output.toString());
            command.addAll(options);
            run(command);
            return output;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Runs a command that must succeed within two minutes, and returns what it printed.
    static String run(List<String> command) throws IOException {
        Path log = Files.createTempFile("glovebox-run-", ".log");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("ASAN_OPTIONS", SANITIZER_OPTIONS);
        builder.environment().put("UBSAN_OPTIONS", SANITIZER_OPTIONS);
        Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
        try {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("%s ends", command).isTrue();
            String printed = Files.readString(log, StandardCharsets.UTF_8);
            assertThat(process.exitValue()).as("%s: %s", command, printed).isZero();
            return printed;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroyForcibly();
            Files.delete(log);
        }
    }
}
