package dev.glovebox.sandbox;

import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;

/// A worker in a process of its own, which a test kills.
final class DoomedWorker {
    private DoomedWorker() {}

    public static void main(String[] words) throws Exception {
        Sandboxes sandboxes = Sandboxes.open(SandboxConfig.in(Path.of(words[0])));
        Sandbox sandbox = sandboxes.create(SandboxSpec.of("doomed", List.of()));
        sandbox.guest()
                .start(
                        ProcessRequest.of(
                                List.of("/bin/sleep", "1000"), sandbox.environment(), "/"));
        try (PrintStream out =
                new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out))) {
            sandbox.processes().forEach(pid -> out.println("pid " + pid));
            out.println("ready");
            out.flush();
            new java.util.concurrent.CountDownLatch(1).await();
        }
    }
}
