package dev.glovebox.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Gives this process and all sandboxes 256 times the share of processor time that anything else on
/// the machine has, so that a comparison of sandboxes is not one of the machine's other work.
///
/// With control groups of version 1 only; on version 2 it does nothing.
final class QuietMachine implements AutoCloseable {
    private static final Path ROOT = Path.of("/sys/fs/cgroup/cpu");
    private static final Path SANDBOXES = ROOT.resolve("glovebox");
    private static final Path OWN = ROOT.resolve("glovebox-it-" + ProcessHandle.current().pid());
    private static final long MOST = 262_144;
    private static final long USUAL = 1024;

    /// After the first sandbox was started, so that their group is there.
    QuietMachine() throws IOException {
        if (works()) {
            Files.createDirectory(OWN);
            share(OWN, MOST);
            share(SANDBOXES, MOST);
            join(OWN);
        }
    }

    @Override
    public void close() throws IOException {
        if (works()) {
            join(ROOT);
            share(SANDBOXES, USUAL);
            Files.delete(OWN);
        }
    }

    private static boolean works() {
        return Files.exists(SANDBOXES.resolve("cpu.shares"));
    }

    private static void share(Path group, long weight) throws IOException {
        Files.writeString(group.resolve("cpu.shares"), Long.toString(weight));
    }

    private static void join(Path group) throws IOException {
        long self = ProcessHandle.current().pid();
        Files.writeString(group.resolve("cgroup.procs"), Long.toString(self));
    }
}
