package dev.glovebox.sandbox.guest;

import static dev.glovebox.sandbox.guest.GuestProcessTest.codeOf;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// File operations through a real glovebox-init, with every path an agent may leave lying about.
class GuestFilesTest {
    private static final WriteOptions PLAIN = new WriteOptions(false, 0640, false);

    private LiveInit init;
    private Guest guest;

    @BeforeEach
    void start() {
        init = LiveInit.start();
        guest = init.guest();
    }

    @AfterEach
    void stop() {
        guest.close();
        init.close();
    }

    @Test
    void whatIsWrittenIsReadBackWithItsMode() {
        guest.write(path("a"), bytes("hello"), PLAIN);

        assertThat(read("a")).isEqualTo("hello");
        FileStat stat = guest.stat(path("a"), false);
        assertThat(stat.kind()).isEqualTo(FileKind.REGULAR);
        assertThat(stat.mode()).isEqualTo(0640);
        assertThat(stat.size()).isEqualTo(5);
        assertThat(guest.read(path("a"), 2, 2)).isEqualTo(bytes("ll"));
        assertThat(guest.read(path("a"), 100, 2)).isEmpty();
        assertThat(guest.read(path("a"), 0, 0)).isEmpty();
    }

    @Test
    void contentOfManyFramesIsWhole() {
        byte[] content = new byte[3_000_001];
        new Random(7).nextBytes(content);
        guest.write(path("big"), content, WriteOptions.DEFAULT);

        assertThat(guest.read(path("big"), 0, 4_000_000)).isEqualTo(content);
        assertThat(guest.read(path("big"), 0, 1_000_000)).hasSize(1_000_000);
        assertThat(guest.list(init.directory().toString(), 10))
                .extracting(DirectoryEntry::name)
                .containsExactlyInAnyOrder("big", "init.log");
    }

    @Test
    void anExistingFileKeepsItsModeAndALinkItsTarget() throws Exception {
        run("echo old > script; chmod 755 script; ln -s script link; ln -s nowhere dangling");

        guest.write(path("link"), bytes("new"), PLAIN);

        assertThat(read("script")).isEqualTo("new");
        assertThat(guest.stat(path("script"), false).mode()).isEqualTo(0755);
        assertThat(guest.stat(path("link"), false).kind()).isEqualTo(FileKind.SYMLINK);
        assertThat(guest.stat(path("link"), true).kind()).isEqualTo(FileKind.REGULAR);
        assertThat(writeCode("dangling")).isEqualTo("ENOENT");
    }

    @Test
    void parentsAreMadeWhenAsked() {
        assertThat(writeCode("x/y/z")).isEqualTo("ENOENT");
        guest.write(path("x/y/z"), bytes("deep"), WriteOptions.DEFAULT);
        assertThat(read("x/y/z")).isEqualTo("deep");
        assertThat(guest.stat(path("x/y"), false).mode()).isEqualTo(0700);
        assertThat(guest.stat(path("x/y/z"), false).mode()).isEqualTo(0600);

        guest.mkdir(path("m/n"), 0750, true);
        guest.mkdir(path("m/n"), 0750, true);
        assertThat(codeOf(() -> guest.mkdir(path("m/n"), 0750, false))).isEqualTo("EEXIST");
        assertThat(codeOf(() -> guest.mkdir(path("m/o/p"), 0750, false))).isEqualTo("ENOENT");
        assertThat(codeOf(() -> guest.mkdir(path("x/y/z/q"), 0750, true))).isEqualTo("ENOTDIR");
    }

    @Test
    void onlyRegularFilesAreReadAndNothingIsWaitedFor() throws Exception {
        run(
                "mkfifo fifo; mkdir dir; ln -s loop1 loop2; ln -s loop2 loop1; echo x > locked; chmod 0 locked");

        assertThat(readCode(path("fifo"))).isEqualTo("EINVAL");
        assertThat(readCode(path("dir"))).isEqualTo("EISDIR");
        assertThat(readCode(path("loop1"))).isEqualTo("ELOOP");
        assertThat(readCode(path("missing"))).isEqualTo("ENOENT");
        assertThat(readCode("/dev/zero")).isEqualTo("EINVAL");
        assertThat(readCode("/dev/tty")).isIn("EINVAL", "ENXIO", "ENOENT");
        assertThat(writeCode("fifo")).isEqualTo("EINVAL");
        assertThat(writeCode("dir")).isEqualTo("EISDIR");
        assertThat(writeCode("loop1")).isEqualTo("ELOOP");
        assertThat(guest.stat(path("fifo"), false).kind()).isEqualTo(FileKind.FIFO);
        assertThat(guest.stat("/dev/null", true).kind()).isEqualTo(FileKind.CHARACTER_DEVICE);
        if (!"0".equals(guest.hello().get("uid"))) {
            assertThat(readCode(path("locked"))).isEqualTo("EACCES");
            assertThat(codeOf(() -> guest.write("/etc/passwd", bytes("x"), PLAIN)))
                    .isEqualTo("EACCES");
        }
    }

    @Test
    void theMemoryOfInitIsNotReadThroughProc() throws Exception {
        run("ln -s /proc/self/environ innocent");

        assertThat(readCode("/proc/self/status")).isEqualTo("EACCES");
        assertThat(readCode(path("innocent"))).isEqualTo("EACCES");
        String mounts = new String(guest.readProc("/proc/self/mountinfo", 1 << 20), UTF_8);
        assertThat(mounts).contains(" /proc ");
        assertThat(codeOf(() -> guest.readProc("/etc/passwd", 100))).isEqualTo("EACCES");
    }

    @Test
    void oddPathsAreAnswered() {
        String odd = "new\nline \t'\"$(x) ünï 漢字 \u0001";
        guest.write(path(odd), bytes("odd"), PLAIN);
        assertThat(read(odd)).isEqualTo("odd");
        assertThat(guest.list(init.directory().toString(), 10))
                .extracting(DirectoryEntry::name)
                .contains(odd);
        guest.remove(path(odd), false);

        assertThat(readCode(path("a\0b"))).isEqualTo("EINVAL");
        assertThat(readCode("relative")).isEqualTo("EINVAL");
        assertThat(readCode("")).isEqualTo("EINVAL");
        assertThat(readCode(path("lone\ud800surrogate"))).isEqualTo("EINVAL");
        assertThat(readCode("/" + "x".repeat(300))).isEqualTo("ENAMETOOLONG");
        assertThat(readCode("/" + "y/".repeat(2500))).isEqualTo("ENAMETOOLONG");
        assertThat(readCode("/" + "y/".repeat(50_000))).isEqualTo("E2BIG");
        for (String end : List.of("/", "/.", "/..")) {
            assertThat(codeOf(() -> guest.write(init.directory() + end, bytes("x"), PLAIN)))
                    .isEqualTo("EINVAL");
        }
        assertThat(codeOf(() -> guest.write("/", bytes("x"), PLAIN))).isEqualTo("EINVAL");
        assertThat(guest.isOpen()).isTrue();
    }

    @Test
    void listsAreWholeOrCut() throws Exception {
        run("mkdir many; cd many; seq 5000 | xargs touch; ln -s x link");
        List<DirectoryEntry> all = guest.list(path("many"), 10_000);
        assertThat(all).hasSize(5001);
        assertThat(all).filteredOn(e -> e.kind() == FileKind.SYMLINK).hasSize(1);
        assertThat(guest.list(path("many"), 5001)).hasSize(5001);
        assertThat(guest.list(path("many"), 7)).hasSize(7);
        assertThat(guest.list(path("many"), 0)).isEmpty();
        assertThat(codeOf(() -> guest.list(path("init.log"), 7))).isEqualTo("ENOTDIR");
    }

    @Test
    void realPathsHaveNoLinks() throws Exception {
        run("mkdir -p real/deep; ln -s real/deep short; ln -s /etc escape; touch 'x (deleted)'");
        String root = init.directory().toRealPath().toString();

        assertThat(guest.realPath(path("short/../deep/."))).isEqualTo(root + "/real/deep");
        assertThat(guest.realPath(path("escape/passwd"))).isEqualTo("/etc/passwd");
        assertThat(guest.realPath(path("x (deleted)"))).isEqualTo(root + "/x (deleted)");
        assertThat(codeOf(() -> guest.realPath(path("gone")))).isEqualTo("ENOENT");
        assertThat(guest.realPath("/")).isEqualTo("/");
    }

    @Test
    void renamesReplace() {
        guest.write(path("a"), bytes("1"), PLAIN);
        guest.write(path("b"), bytes("2"), PLAIN);
        guest.rename(path("a"), path("b"));
        assertThat(read("b")).isEqualTo("1");
        assertThat(codeOf(() -> guest.rename(path("a"), path("b")))).isEqualTo("ENOENT");
    }

    @Test
    void removalNeverFollowsALink() throws Exception {
        run(
                "mkdir keep tree; touch keep/me; ln -s ../keep tree/link; ln -s keep top; mkdir tree/empty");

        assertThat(codeOf(() -> guest.remove(path("tree"), false))).isEqualTo("ENOTEMPTY");
        guest.remove(path("tree"), true);
        guest.remove(path("top"), true);

        assertThat(guest.list(path("keep"), 10)).hasSize(1);
        assertThat(codeOf(() -> guest.stat(path("tree"), false))).isEqualTo("ENOENT");
        assertThat(codeOf(() -> guest.remove(path("tree"), true))).isEqualTo("ENOENT");
        assertThat(codeOf(() -> guest.remove("/", true))).isEqualTo("EINVAL");
    }

    @Test
    void removalTakesDeepWideAndReadOnlyTrees() throws Exception {
        run("mkdir t; cd t; perl -e 'for (1..3000) { mkdir \"d\"; chdir \"d\" or die }'");
        run(
                "mkdir -p t/wide; cd t/wide; seq 10000 | xargs touch; mkdir ro; touch ro/f; chmod 555 ro");

        guest.remove(path("t"), true);

        assertThat(codeOf(() -> guest.stat(path("t"), false))).isEqualTo("ENOENT");
    }

    @Test
    void aWriterKilledAtAnyMomentLeavesTheOldFileOrTheNew() throws Exception {
        byte[] ones = "1".repeat(400_000).getBytes(UTF_8);
        byte[] twos = "2".repeat(400_000).getBytes(UTF_8);
        for (int round = 0; round < 20; round++) {
            try (LiveInit victim = LiveInit.start()) {
                Guest writer = victim.guest();
                Path file = Path.of(victim.path("file"));
                writer.write(file.toString(), ones, PLAIN);
                Thread killer = Thread.startVirtualThread(() -> victim.process().destroyForcibly());
                String code = codeOf(() -> writer.write(file.toString(), twos, PLAIN));
                killer.join();
                assertThat(code).isIn("none", "ECONNRESET");
                assertThat(Files.readAllBytes(file)).isIn(ones, twos);
            }
        }
    }

    @Test
    void manyCallersAtOnceEachGetTheirOwnAnswer() throws Exception {
        List<Thread> callers =
                java.util.stream.IntStream.range(0, 50)
                        .mapToObj(i ->
                                Thread.startVirtualThread(() -> {
                                    byte[] own = ("content " + i).repeat(9000).getBytes(UTF_8);
                                    guest.write(path("f" + i), own, PLAIN);
                                    assertThat(guest.read(path("f" + i), 0, 1 << 20))
                                            .isEqualTo(own);
                                    guest.remove(path("f" + i), false);
                                }))
                        .toList();
        for (Thread caller : callers) {
            caller.join();
        }
        assertThat(guest.list(init.directory().toString(), 100)).hasSize(1);
    }

    private String path(String name) {
        return init.path(name);
    }

    private void run(String script) throws IOException, TimeoutException {
        assertThat(init.run(guest, script)).isEmpty();
    }

    private String read(String name) {
        return new String(guest.read(path(name), 0, 1 << 20), UTF_8);
    }

    private String readCode(String path) {
        return codeOf(() -> guest.read(path, 0, 100));
    }

    private String writeCode(String name) {
        return codeOf(() -> guest.write(path(name), bytes("x"), PLAIN));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
