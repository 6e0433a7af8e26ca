package dev.glovebox.cli.doctor;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// What a program of the host says when it is started for a moment.
final class ProgramOutput {
    private static final int DEADLINE_SECONDS = 5;

    private ProgramOutput() {}

    /// The first line of it; empty when it says nothing in time or is not there.
    static Optional<String> firstLine(String... command) {
        try {
            Path output = Files.createTempFile("glovebox-doctor", ".txt");
            try {
                ProcessBuilder builder =
                        new ProcessBuilder(command)
                                .redirectErrorStream(true)
                                .redirectInput(new File("/dev/null"))
                                .redirectOutput(output.toFile());
                builder.environment().merge("PATH", "/usr/sbin:/sbin", (a, b) -> a + ":" + b);
                Process process = builder.start();
                if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    return Optional.empty();
                }
                return Files.readAllLines(output).stream().findFirst();
            } finally {
                Files.delete(output);
            }
        } catch (IOException _) {
            return Optional.empty();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
