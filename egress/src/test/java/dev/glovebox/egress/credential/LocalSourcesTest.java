package dev.glovebox.egress.credential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalSourcesTest {
    @TempDir Path directory;
    private final SetClock clock = new SetClock();

    private static String fetched(SecretSource source) throws CredentialException {
        return source.fetch().value().reveal();
    }

    private static void refused(SecretSource source, String why) {
        assertThatThrownBy(source::fetch)
                .isInstanceOf(CredentialException.class)
                .hasMessageContaining(why)
                .message()
                .doesNotContain("hush");
    }

    private CommandSource command(Duration deadline, String... argv) {
        return new CommandSource(List.of(argv), Duration.ofMinutes(1), deadline, clock);
    }

    private CommandSource script(String text) throws Exception {
        Path file = Files.writeString(directory.resolve("plugin"), "#!/bin/sh\n" + text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        return command(Duration.ofSeconds(60), file.toString(), "$HOME; id");
    }

    @Test
    void file() throws Exception {
        Path file = directory.resolve("key");
        assertThat(fetched(new FileSource(Files.writeString(file, "hush\n")))).isEqualTo("hush");
        assertThat(fetched(new FileSource(Files.writeString(file, "hush\r\n")))).isEqualTo("hush");
        assertThat(fetched(new FileSource(Files.writeString(file, "a\nb\n")))).isEqualTo("a\nb");
        refused(new FileSource(Files.writeString(file, "\n")), "is empty");
        refused(new FileSource(Files.writeString(file, "hush".repeat(5000))), "longer than 16384");
        refused(new FileSource(Files.write(file, new byte[] {'h', (byte) 0xff})), "not UTF-8");
        refused(new FileSource(directory), "no file");
        refused(new FileSource(Path.of("/dev/zero")), "no file");
        refused(new FileSource(directory.resolve("none")), "none cannot be read");
    }

    @Test
    void environment() throws Exception {
        Map<String, String> environment = Map.of("KEY", "hush", "EMPTY", "");
        assertThat(fetched(new EnvironmentSource("KEY", environment))).isEqualTo("hush");
        refused(new EnvironmentSource("EMPTY", environment), "variable EMPTY is empty");
        refused(new EnvironmentSource("NONE", environment), "variable NONE is empty or not set");
    }

    @Test
    void command_hasNoShellNoVariablesAndNoInput() throws Exception {
        assertThat(System.getenv()).as("positive control").hasSizeGreaterThan(2);
        String said = fetched(script("echo \"$1\"; pwd; cat; env | grep -v _= | sort\n"));
        assertThat(said).startsWith("$HOME; id\n/\n").contains("\nPATH=/usr/local/sbin:");
        assertThat(
                        said.lines()
                                .filter(line -> line.contains("="))
                                .map(line -> line.substring(0, line.indexOf("="))))
                .containsOnly("PATH", "PWD");
        assertThat(script("echo hush\n").fetch().expires())
                .isEqualTo(clock.instant().plusSeconds(60));
    }

    @Test
    void commandThatFails_isNotBelieved() throws Exception {
        refused(script("echo hush; echo hush >&2; exit 3\n"), "ended with exit 3");
        refused(script("exit 0\n"), "printed is empty");
        refused(script("yes hush\n"), "more than 16384 bytes");
        refused(command(Duration.ofSeconds(60), "/nonexistent"), "cannot be run");
    }

    @Test
    void commandThatHangs_isKilledWithItsChildren() throws Exception {
        Path pid = directory.resolve("pid");
        Path file =
                Files.writeString(
                        directory.resolve("hangs"),
                        "#!/bin/sh\nsleep 1000 & echo $! > " + pid + "; wait\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        refused(command(Duration.ofSeconds(2), file.toString()), "did not end within PT2S");
        assertThat(pid).exists();
        long child = Long.parseLong(Files.readString(pid).strip());
        ProcessHandle.of(child)
                .ifPresent(left ->
                        left.onExit().orTimeout(60, java.util.concurrent.TimeUnit.SECONDS).join());
        assertThat(ProcessHandle.of(child).filter(ProcessHandle::isAlive)).isEmpty();
    }
}
