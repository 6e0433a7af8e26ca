package dev.glovebox.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Processes through a real glovebox-init.
class GuestProcessTest {
    private static final Duration PATIENCE = LiveInit.PATIENCE;

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
    void helloTellsWhatInitSeesOfItself() {
        assertThat(guest.hello())
                .containsEntry("protocol", "1")
                .containsEntry("dumpable", "0")
                .containsKeys("pid", "uid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp", "ns/net");
        assertThat(guest.hello().get("ns/net")).startsWith("net:[");
    }

    @Test
    void aProcessPrintsAndExits() throws Exception {
        GuestProcess process = guest.start(init.shell("echo out; echo err >&2; exit 7"));

        assertThat(text(process.stdout())).isEqualTo("out\n");
        assertThat(text(process.stderr())).isEqualTo("err\n");
        Exit exit = process.waitFor(PATIENCE);
        assertThat(exit.code()).isEqualTo(7);
        assertThat(exit.signal()).isZero();
        assertThat(exit.usage().maxResidentBytes()).isPositive();
        assertThat(process.exit()).contains(exit);
    }

    @Test
    void environmentAndDescriptorsAreExactlyWhatWasAsked() throws Exception {
        assertThat(text(guest.start(init.request("env")).stdout()))
                .isEqualTo("PATH=/usr/bin:/bin\n");
        assertThat(init.run(guest, "ls /proc/self/fd | tr '\\n' ' '")).isEqualTo("0 1 2 3 ");
        // Signals 32 and 33 belong to the C library and keep what this JVM made of them.
        assertThat(init.run(guest, "umask; grep -E 'Sig(Blk|Ign)' /proc/self/status"))
                .matches("0022\nSigBlk:\t0{16}\nSigIgn:\t0{7}[01][08]0{7}\n");
    }

    @Test
    void whatCannotStartSaysWhy() {
        assertThat(codeOf(() -> guest.start(init.request("no-such-program")))).isEqualTo("ENOENT");
        assertThat(codeOf(() -> guest.start(init.request("/etc/passwd")))).isEqualTo("EACCES");
        ProcessRequest elsewhere =
                ProcessRequest.of(List.of("true"), Map.of("PATH", "/bin"), "/no/such/directory");
        assertThatThrownBy(() -> guest.start(elsewhere)).hasMessageContaining("chdir");
        assertThat(codeOf(() -> guest.start(init.request("echo", "a\0b")))).isEqualTo("EINVAL");
        assertThat(codeOf(() -> guest.start(init.request("echo", "x".repeat(70_000)))))
                .isEqualTo("E2BIG");
        assertThat(guest.isOpen()).isTrue();
    }

    @Test
    void aSignalReachesTheWholeGroup() throws Exception {
        GuestProcess process = guest.start(init.shell("sleep 1000 & sleep 1001 & echo up; wait"));
        process.stdout().readNBytes(3);

        process.signal(9);

        Exit exit = process.waitFor(PATIENCE);
        assertThat(exit.code()).isEqualTo(-1);
        assertThat(exit.signal()).isEqualTo(9);
        LiveInit.await("an empty group", () -> attempt("pgrep -g " + process.pid()).isEmpty());
    }

    @Test
    void stdinIsFedWithoutLimitAndReadBack() throws Exception {
        GuestProcess process = guest.start(init.request("cat"));
        byte[] content = new byte[5_000_000];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (i * 31 + i / 251);
        }
        Thread writer =
                Thread.startVirtualThread(() -> {
                    try (ProcessInput stdin = process.stdin()) {
                        stdin.write(content);
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                });

        assertThat(process.stdout().readAllBytes()).isEqualTo(content);
        writer.join();
        assertThat(process.waitFor(PATIENCE).success()).isTrue();
    }

    @Test
    void writingToAProcessThatDoesNotReadWaitsAndGivesUp() throws Exception {
        GuestProcess process = guest.start(init.request("sleep", "1000"));
        byte[] much = new byte[1 << 20];

        assertThatThrownBy(
                        () -> process.stdin().write(much, 0, much.length, Duration.ofMillis(200)))
                .isInstanceOf(TimeoutException.class);
        process.close();
        assertThat(process.waitFor(PATIENCE).signal()).isEqualTo(9);
        assertThatThrownBy(() -> process.stdin().write(1)).isInstanceOf(IOException.class);
    }

    @Test
    void aProcessThatClosesItsStdinIsNoticed() throws Exception {
        GuestProcess process = guest.start(init.shell("exec <&-; echo closed; sleep 1000"));
        process.stdout().readNBytes(7);

        assertThatThrownBy(
                        () -> {
                            for (int i = 0; i < 100; i++) {
                                process.stdin().write(new byte[10_000]);
                            }
                        })
                .isInstanceOf(IOException.class);
        assertThat(process.exit()).isEmpty();
        process.close();
    }

    @Test
    void aBackgroundChildThatHoldsThePipesDoesNotDelayTheExit() throws Exception {
        long start = System.nanoTime();
        GuestProcess process = guest.start(init.shell("setsid sleep 1000 & echo hi"));

        assertThat(process.waitFor(PATIENCE).code()).isZero();
        assertThat(text(process.stdout())).isEqualTo("hi\n");
        assertThat(text(process.stderr())).isEmpty();
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(10));
    }

    @Test
    void outputFromBeforeTheExitIsWholeWhateverABackgroundChildAdds() throws Exception {
        for (int round = 0; round < 20; round++) {
            GuestProcess process =
                    guest.start(
                            init.shell("(setsid yes &) ; head -c 30000 /dev/zero | tr '\\0' a"));
            String output = text(process.stdout());
            assertThat(output.chars().filter(c -> c == 'a').count()).isEqualTo(30_000);
        }
        init.run(guest, "pkill -u $(id -u) -x yes");
    }

    @Test
    void aGibibyteOfOutputPassesThroughABoundedBuffer() throws Exception {
        GuestProcess process = guest.start(init.request("head", "-c", "1G", "/dev/zero"));
        byte[] buffer = new byte[1 << 16];
        long total = 0;
        for (int n = process.stdout().read(buffer); n >= 0; n = process.stdout().read(buffer)) {
            total += n;
            assertThat(process.stdout().available()).isLessThanOrEqualTo(64 * 1024);
        }
        assertThat(total).isEqualTo(1L << 30);
        assertThat(residentKib()).isLessThan(4096);
    }

    /// What 200,000 frames would cost the worker, the calls of other sandboxes would wait for.
    /// Every frame is one read at least.
    @Test
    void manyShortWritesAreGatheredAndFewAreNotKeptBack() throws Exception {
        assumeThat(Files.isReadable(io())).as("root").isTrue();
        String writes = "import os\nfor i in range(200000): os.write(1, b'x')\nos.write(1, b'end')";
        GuestProcess process = guest.start(init.request("python3", "-c", writes));

        assertThat(text(process.stdout())).hasSize(200_003).endsWith("xend");
        assertThat(process.waitFor(PATIENCE).code()).isZero();
        long reads = reads();
        assertThat(reads).isLessThan(12_000);

        // positive control: what comes in its own time is read in its own time
        assertThat(init.run(guest, "for i in {1..50}; do echo; sleep 0.003; done")).hasSize(50);
        assertThat(reads() - reads).isGreaterThanOrEqualTo(50);
    }

    private Path io() {
        return Path.of("/proc/" + init.process().pid() + "/io");
    }

    /// How often init has read anything.
    private long reads() throws IOException {
        return Files.readAllLines(io()).stream()
                .filter(line -> line.startsWith("syscr: "))
                .mapToLong(line -> Long.parseLong(line.substring("syscr: ".length())))
                .sum();
    }

    @Test
    void unreadOutputStopsTheProcessAndHoldsUpNobodyElse() throws Exception {
        GuestProcess flood = guest.start(init.request("yes"));
        LiveInit.await("a full buffer", () -> flood.stdout().available() == 64 * 1024);
        String state = "grep State /proc/" + flood.pid() + "/status";

        LiveInit.await("yes sleeps", () -> attempt(state).contains("S (sleeping)"));
        assertThat(flood.exit()).isEmpty();
        assertThat(residentKib()).isLessThan(4096);
        flood.close();
        assertThat(flood.waitFor(PATIENCE).signal()).isEqualTo(9);
    }

    @Test
    void closingAStreamTellsItsWriter() throws Exception {
        GuestProcess process = guest.start(init.request("yes"));
        process.stdout().read();
        process.stdout().close();
        assertThat(process.waitFor(PATIENCE).signal()).isEqualTo(13);
    }

    @Test
    void readingWithATimeoutGivesUpAndGoesOn() throws Exception {
        GuestProcess process = guest.start(init.shell("read line; echo $line"));
        byte[] buffer = new byte[100];
        assertThatThrownBy(() -> process.stdout().read(buffer, 0, 100, Duration.ofMillis(100)))
                .isInstanceOf(TimeoutException.class);
        assertThatThrownBy(() -> process.waitFor(Duration.ofMillis(50)))
                .isInstanceOf(TimeoutException.class);
        process.stdin().write("hello\n".getBytes(StandardCharsets.UTF_8));
        assertThat(process.stdout().read(buffer, 0, 100, PATIENCE)).isEqualTo(6);
    }

    @Test
    void aTerminalIsOne() throws Exception {
        GuestProcess process =
                guest.start(
                        init.terminal(new WindowSize(30, 100), "bash", "--norc", "--noprofile"));
        ProcessInput stdin = process.stdin();
        stdin.write("stty -echo; tty; stty size\n".getBytes(StandardCharsets.UTF_8));
        String first = readUntil(process.stdout(), "30 100");
        assertThat(first).contains("/dev/pts/");
        process.resize(new WindowSize(40, 120));
        stdin.write("stty size\n".getBytes(StandardCharsets.UTF_8));
        readUntil(process.stdout(), "40 120");
        stdin.write("sleep 1000\n".getBytes(StandardCharsets.UTF_8));
        LiveInit.await(
                "sleep runs",
                () -> attempt("pgrep -s " + process.pid() + " -x sleep").length() > 1);
        stdin.write(3);
        stdin.write("echo code $?\n".getBytes(StandardCharsets.UTF_8));
        readUntil(process.stdout(), "code 130");

        stdin.close();

        assertThat(process.waitFor(PATIENCE).signal()).isZero();
        assertThat(process.stderr().read()).isEqualTo(-1);
    }

    @Test
    void theLimitOfProcessesIsToldAndLifted() throws Exception {
        List<GuestProcess> running = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            running.add(guest.start(init.request("sleep", "1000")));
        }
        assertThat(codeOf(() -> guest.start(init.request("true")))).isEqualTo("EAGAIN");
        for (GuestProcess process : running) {
            process.close();
            process.waitFor(PATIENCE);
        }
        for (int i = 0; i < 64; i++) {
            assertThat(guest.start(init.request("true")).waitFor(PATIENCE).success()).isTrue();
        }
    }

    @Test
    void aThousandOrphansAreReaped() throws Exception {
        String pid = guest.hello().get("pid");
        init.run(guest, "for i in $(seq 1000); do (true &) ; done");
        LiveInit.await(
                "no zombies",
                () -> attempt("ps --ppid " + pid + " -o stat= | grep -c Z").equals("0\n"));
    }

    @Test
    void anInterruptedCallerDoesNotHurtTheGuest() throws Exception {
        GuestProcess process = guest.start(init.request("cat"));
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> process.stdout().read()).isInstanceOf(IOException.class);
        assertThat(codeOf(() -> guest.stat("/", true))).isIn("EINTR", "none");
        assertThat(Thread.interrupted()).isTrue();

        process.stdin().write("still here\n".getBytes(StandardCharsets.UTF_8));
        assertThat(new String(process.stdout().readNBytes(11), StandardCharsets.UTF_8))
                .isEqualTo("still here\n");
        assertThat(guest.stat("/", true).kind()).isEqualTo(FileKind.DIRECTORY);
    }

    @Test
    void mergedOutputKeepsItsOrder() throws Exception {
        assertThat(init.run(guest, "echo 1; echo 2 >&2; echo 3; echo 4 >&2"))
                .isEqualTo("1\n2\n3\n4\n");
    }

    @Test
    void aRequestRefusesWhatCannotBe() {
        assertThatThrownBy(() -> ProcessRequest.of(List.of(), Map.of(), "/"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ProcessRequest.of(List.of("x"), Map.of("A=B", "c"), "/"))
                .isInstanceOf(IllegalArgumentException.class);
        ProcessRequest secret =
                new ProcessRequest(
                        List.of("x"), Map.of("KEY", "s3cret"), "/", Optional.empty(), false);
        assertThat(secret.toString()).contains("KEY").doesNotContain("s3cret");
    }

    private String attempt(String script) {
        try {
            return init.run(guest, script);
        } catch (IOException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    private long residentKib() {
        String line = attempt("ps -o rss= -p " + guest.hello().get("pid"));
        return Long.parseLong(line.trim());
    }

    static String codeOf(Runnable call) {
        try {
            call.run();
        } catch (GuestException e) {
            return e.code();
        }
        return "none";
    }

    private static String text(ProcessOutput output) throws IOException {
        return new String(output.readAllBytes(), StandardCharsets.UTF_8);
    }

    private static String readUntil(ProcessOutput output, String wanted)
            throws IOException, TimeoutException {
        StringBuilder seen = new StringBuilder();
        byte[] buffer = new byte[4096];
        while (seen.indexOf(wanted) < 0) {
            int count = output.read(buffer, 0, buffer.length, PATIENCE);
            assertThat(count).as("output ended before '%s': %s", wanted, seen).isPositive();
            seen.append(new String(buffer, 0, count, StandardCharsets.UTF_8));
        }
        return seen.toString();
    }
}
