package dev.glovebox.sandbox;

import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// A worker in a process of its own, whose runtime has been replaced by one that leaves a part of
/// what it is asked for away. It says for each part whether sandboxes were to be had.
final class WeakenedWorker {
    private WeakenedWorker() {}

    /// The words are state directory, runtime, the file in which the replaced runtime looks what to
    /// leave away, and a file with a line for each of these.
    public static void main(String[] words) throws Exception {
        List<String> parts = Files.readAllLines(Path.of(words[3]));
        try (PrintStream out =
                new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out))) {
            for (String part : parts) {
                Files.writeString(Path.of(words[2]), part);
                SandboxConfig config =
                        new SandboxConfig(
                                Path.of(words[0]),
                                Optional.of(RuntimeName.valueOf(words[1])),
                                SandboxConfig.DEFAULT_START_TIMEOUT);
                try (Sandboxes sandboxes = Sandboxes.open(config)) {
                    sandboxes.create(SandboxSpec.of("weak", List.of())).close();
                    out.println(part + " | ran");
                } catch (SandboxException e) {
                    out.println(part + " | " + String.valueOf(e.getMessage()).replace('\n', ' '));
                }
                out.flush();
            }
        }
    }
}
