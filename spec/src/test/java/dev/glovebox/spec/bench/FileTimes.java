package dev.glovebox.spec.bench;

import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.guest.WriteOptions;
import dev.glovebox.workspace.Workspace;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Files of a workspace, on a disk of its own as sessions have it and in a plain directory: a part
/// of [BenchSandbox].
final class FileTimes {
    private static final int KIBI = 1024;
    private static final WriteOptions PLAIN = new WriteOptions(false, 0600, false);

    private final Report report;
    private final Sandboxes sandboxes;
    private final Path folder;
    private final int starts;

    FileTimes(Report report, Sandboxes sandboxes, Path folder, int starts) {
        this.report = report;
        this.sandboxes = sandboxes;
        this.folder = folder;
        this.starts = starts;
    }

    void run() {
        report.section(
                "Files",
                "Written and read in `/workspace` by the worker through `glovebox-init`, as the agent's own user, beside the same in the same"
                        + " directory with `java.nio.file.Files` on the host as root. *Disk* is a session's workspace, a file system in a sparse"
                        + " file; *directory* is one of the host's own file system (`limits.disk: none`). Not synced, p50.",
                "",
                "write, host",
                "write",
                "ratio",
                "read, host",
                "read",
                "ratio");
        places("disk", Workspaces.open(folder.resolve("file-disks")));
        places("directory", Workspaces.open(folder.resolve("file-plain"), Optional.empty()));
        report.end();
    }

    private void places(String kind, Workspaces workspaces) {
        try (Workspace workspace = workspaces.open("files");
                Sandbox sandbox =
                        sandboxes.create(
                                SandboxSpec.of(
                                        "files-" + kind,
                                        List.of(
                                                new Mount(
                                                        workspace.directory(),
                                                        "/workspace",
                                                        false))))) {
            size(sandbox, workspace, 4 * KIBI, starts * 2, kind + ", 4 KiB");
            size(sandbox, workspace, KIBI * KIBI, starts, kind + ", 1 MiB");
            size(
                    sandbox,
                    workspace,
                    100 * KIBI * KIBI,
                    Math.max(3, starts / 20),
                    kind + ", 100 MiB");
        }
    }

    private void size(Sandbox sandbox, Workspace workspace, int size, int times, String name) {
        byte[] content = new byte[size];
        Path host = workspace.directory().resolve("host");
        Figures hostWrite = BenchSandbox.repeated(times, () -> write(host, content));
        Figures write =
                BenchSandbox.repeated(
                        times, () -> sandbox.guest().write("/workspace/own", content, PLAIN));
        Figures hostRead = BenchSandbox.repeated(times, () -> read(host, size));
        Figures read =
                BenchSandbox.repeated(
                        times,
                        () -> whole(sandbox.guest().read("/workspace/own", 0, size).length, size));
        report.row(
                name,
                millis(hostWrite),
                millis(write),
                Figures.ratio(write.percentile(0.5), hostWrite.percentile(0.5)),
                millis(hostRead),
                millis(read),
                Figures.ratio(read.percentile(0.5), hostRead.percentile(0.5)));
    }

    private static String millis(Figures figures) {
        return Figures.millis(figures.percentile(0.5));
    }

    private static void write(Path file, byte[] content) {
        try {
            Path fresh = file.resolveSibling("new");
            Files.write(fresh, content, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void read(Path file, int size) {
        try {
            whole(Files.readAllBytes(file).length, size);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void whole(int read, int size) {
        if (read != size) {
            throw new IllegalStateException(
                    String.format(Locale.ROOT, "%d of %d bytes were read", read, size));
        }
    }
}
