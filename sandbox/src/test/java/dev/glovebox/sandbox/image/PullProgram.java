package dev.glovebox.sandbox.image;

import dev.glovebox.sandbox.Root;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A process of its own that pulls one image.
public final class PullProgram {
    private PullProgram() {}

    /// Starts one; its exit code is 0 if the image is there, else 1 with the reason on its output.
    ///
    /// @param caFile as in [ImagesConfig]
    /// @param output of both streams
    /// @param options of its Java
    static Process start(
            Path store,
            String reference,
            Optional<Path> caFile,
            ProcessBuilder.Redirect output,
            String... options)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(System.getProperty("java.home") + "/bin/java");
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC"));
        command.addAll(List.of(options));
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(PullProgram.class.getName(), store.toString(), reference));
        caFile.map(Path::toString).ifPresent(command::add);
        return new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output).start();
    }

    /// Pulls.
    ///
    /// @param arguments the store, the reference and, where there is one, the file of authorities
    public static void main(String[] arguments) {
        Optional<Path> caFile =
                arguments.length > 2 ? Optional.of(Path.of(arguments[2])) : Optional.empty();
        try {
            Images.open(
                            new ImagesConfig(
                                    Path.of(arguments[0]),
                                    ImageLimits.DEFAULT,
                                    Optional.empty(),
                                    caFile,
                                    Set.of()))
                    .layers(new Root.Image(arguments[1]));
            System.exit(0);
        } catch (ImageException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }
}
