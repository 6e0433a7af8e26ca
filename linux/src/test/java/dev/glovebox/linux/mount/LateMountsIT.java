package dev.glovebox.linux.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.UserNamespace;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Mounts into the namespace of a shell that runs already. Needs root.
class LateMountsIT {
    @TempDir private Path directory;
    private Process shell;
    private BufferedReader output;
    private PrintWriter input;
    private UserNamespace ids;
    private Path source;

    /// A shell whose root is a tmpfs with a directory, a link to it, and another mount.
    @BeforeEach
    void open() throws Exception {
        ids = UserNamespace.create(2_000_000_000L, 65_536);
        source = Files.createDirectories(directory.resolve("source"));
        Files.setAttribute(source, "unix:uid", 1000);
        Files.writeString(source.resolve("file"), "hello\n");
        String setUp =
                "mkdir -p $0 && mount -t tmpfs root $0 && cd $0"
                        + " && mkdir -p work other usr proc old"
                        + " && ln -s work link && ln -s usr/bin bin && ln -s usr/lib lib"
                        + " && ln -s usr/lib64 lib64 && mount --rbind /usr usr"
                        + " && mount -t proc proc proc && mount -t tmpfs other other"
                        + " && mkdir other/inner && pivot_root . old && umount -l /old"
                        + " && echo ready && exec bash";
        shell =
                new ProcessBuilder(
                                "unshare",
                                "-m",
                                "bash",
                                "-c",
                                setUp,
                                directory.resolve("root").toString())
                        .redirectErrorStream(true)
                        .start();
        output = shell.inputReader(StandardCharsets.UTF_8);
        input = new PrintWriter(shell.outputWriter(StandardCharsets.UTF_8), true);
        assertThat(output.readLine()).isEqualTo("ready");
    }

    @AfterEach
    void close() throws Exception {
        shell.destroyForcibly().waitFor();
        ids.close();
    }

    @Test
    void aDirectoryAppearsInsideWithItsFlagsAndOwners_andNotOnTheHost() throws Exception {
        String host = Files.readString(Path.of("/proc/self/mountinfo"));

        attach("/work", false);

        assertThat(said("cat /work/file")).isEqualTo("hello");
        assertThat(said("stat -c %u /work")).isEqualTo("2000001000");
        assertThat(MountInfo.at(mounts(), "/work").orElseThrow().options())
                .contains("rw", "nosuid", "nodev");
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).isEqualTo(host);
        assertThat(Files.readSymbolicLink(Path.of("/proc/self/ns/mnt")))
                .isNotEqualTo(Path.of(namespace()));
    }

    @Test
    void aReadOnlyOneCannotBeWritten() throws Exception {
        attach("/work", true);

        assertThat(said("cat /work/file")).isEqualTo("hello");
        assertThat(said("touch /work/file 2>&1")).contains("Read-only file system");
    }

    @Test
    void whatIsNoDirectoryOfTheRootItselfIsRefused() throws Exception {
        List<MountInfo> before = mounts();

        refused("/link", "ELOOP");
        refused("/other/inner", "EXDEV");
        refused("/../../work/../..", "EXDEV");
        refused("/nowhere", "ENOENT");

        assertThat(mounts()).isEqualTo(before);
    }

    @Test
    void aPidThatBelongsToAnotherNamespaceIsNotEntered() {
        assertThatThrownBy(() ->
                        LateMounts.attach(
                                (int) ProcessHandle.current().pid(),
                                namespace(),
                                List.of(new LateMounts.Entry(source, "/work", false)),
                                ids))
                .isInstanceOf(LinuxException.class)
                .hasMessageContaining("ESRCH");
    }

    private void refused(String target, String errno) {
        assertThatThrownBy(() -> attach(target, false))
                .as(target)
                .isInstanceOf(LinuxException.class)
                .hasMessageContaining(errno);
    }

    private void attach(String target, boolean readOnly) throws IOException {
        LateMounts.attach(
                (int) shell.pid(),
                namespace(),
                List.of(new LateMounts.Entry(source, target, readOnly)),
                ids);
    }

    private String namespace() throws IOException {
        return Files.readSymbolicLink(Path.of("/proc/" + shell.pid() + "/ns/mnt")).toString();
    }

    private List<MountInfo> mounts() throws IOException {
        return MountInfo.parse(Files.readString(Path.of("/proc/" + shell.pid() + "/mountinfo")));
    }

    private String said(String command) throws IOException {
        input.println(command + "; echo");
        StringBuilder all = new StringBuilder();
        for (String line = output.readLine(); !line.isEmpty(); line = output.readLine()) {
            all.append(line);
        }
        return all.toString();
    }
}
