package dev.glovebox.spec.lab;

import dev.glovebox.protocol.Secret;
import dev.glovebox.worker.WorkerException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.logging.Level;
import java.util.logging.Logger;

/// Our worker as a process of its own, so that a test can kill it. Takes the folder, URL,
/// environment and idle time as arguments and the key from the environment; prints one line when it
/// is ready; drains when standard input closes.
final class OwnWorkerProgram {
    private OwnWorkerProgram() {}

    public static void main(String[] args) throws IOException {
        Logger.getLogger("").setLevel(Level.WARNING);
        Secret key = new Secret(System.getenv("ANTHROPIC_ENVIRONMENT_KEY"));
        OwnWorker own =
                new OwnWorker(
                        Path.of(args[0]),
                        URI.create(args[1]),
                        args[2],
                        key,
                        Duration.parse(args[3]));
        Thread.ofPlatform().daemon().start(() -> drainAtEndOfInput(own));
        System.out.println("ready");
        int code = 0;
        try {
            own.run();
        } catch (WorkerException e) {
            System.out.println(e.getMessage());
            code = 1;
        }
        own.release();
        System.exit(code);
    }

    private static void drainAtEndOfInput(OwnWorker own) {
        try {
            System.in.transferTo(java.io.OutputStream.nullOutputStream());
        } catch (IOException e) {
            System.out.println("standard input: " + e.getMessage());
        }
        own.drain();
    }
}
