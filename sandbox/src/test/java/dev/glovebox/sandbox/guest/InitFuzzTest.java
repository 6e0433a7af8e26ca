package dev.glovebox.sandbox.guest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// glovebox-init under ASan and UBSan: fed with mutated frames of a fixed seed, and used as usual.
/// A sanitizer's report ends the program with a code of its own, so it cannot pass unseen.
class InitFuzzTest {
    private static final String SEED = "20261121";

    private static Path directory;
    private static Path fuzzer;

    @BeforeAll
    static void build() throws IOException {
        directory = Files.createTempDirectory("glovebox-fuzz-");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
        fuzzer = directory.resolve("fuzz");
        InitBinary.run(List.of(Path.of("src/test/c/fuzz.sh").toString(), fuzzer.toString()));
    }

    @AfterAll
    static void clean() throws IOException {
        InitBinary.run(List.of("rm", "-rf", directory.toString()));
    }

    @Test
    void theDecoderReadsNothingBeyondItsFrame() throws Exception {
        String printed = InitBinary.run(fuzz("decode", "20000", SEED));
        assertThat(printed).startsWith("decoded ");
    }

    @Test
    void theWholeProgramSurvivesOrRefusesMutatedStreams() throws Exception {
        Path area = Files.createDirectory(directory.resolve("area"));
        Files.setPosixFilePermissions(area, PosixFilePermissions.fromString("rwxrwxrwx"));
        String printed = InitBinary.run(fuzz("live", "300", SEED, area.toString()));
        assertThat(printed).startsWith("served ");
    }

    @Test
    void ordinaryUseIsCleanUnderTheSanitizers() throws Exception {
        try (LiveInit init = LiveInit.start(InitBinary.SANITIZED)) {
            try (Guest guest = init.guest()) {
                assertThat(init.run(guest, "head -c 300000 /dev/zero | wc -c; (true &); exit 3"))
                        .isEqualTo("300000\n");
                GuestProcess terminal = guest.start(init.terminal(new WindowSize(10, 20), "cat"));
                terminal.stdin().write("echo\n".getBytes(UTF_8));
                assertThat(terminal.stdout().readNBytes(6)).isEqualTo("echo\r\n".getBytes(UTF_8));
                terminal.resize(new WindowSize(20, 30));
                terminal.close();
                byte[] content = new byte[200_000];
                guest.write(init.path("d/file"), content, WriteOptions.DEFAULT);
                assertThat(guest.read(init.path("d/file"), 0, 1 << 20)).isEqualTo(content);
                assertThat(guest.list("/usr/bin", 10_000)).hasSizeGreaterThan(100);
                guest.rename(init.path("d/file"), init.path("d/other"));
                guest.mkdir(init.path("d/e/f"), 0700, true);
                assertThat(guest.realPath(init.path("d/./e"))).endsWith("/d/e");
                guest.remove(init.path("d"), true);
                guest.start(init.request("sleep", "1000"));
            }
            assertThat(init.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(init.process().exitValue()).isZero();
        }
    }

    private static List<String> fuzz(String... arguments) {
        List<String> command = new ArrayList<>(LiveInit.asAgent());
        command.add(fuzzer.toString());
        command.addAll(List.of(arguments));
        return command;
    }
}
