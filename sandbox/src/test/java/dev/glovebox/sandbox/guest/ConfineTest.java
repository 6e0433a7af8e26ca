package dev.glovebox.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.glovebox.linux.Landlock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The second layer alone, outside of any sandbox: what an agent can do without it is the control
/// for what it cannot do with it.
class ConfineTest {
    private LiveInit init;
    private Guest guest;
    private LiveInit free;
    private Guest freeGuest;
    private Path elsewhere;

    @BeforeEach
    void start() throws IOException {
        assumeTrue(Landlock.offered() >= 6, "this kernel has no Landlock with scopes");
        init = LiveInit.start();
        guest = init.guest();
        free = LiveInit.start();
        freeGuest = free.guest();
        elsewhere = Files.createTempDirectory("glovebox-elsewhere-");
        Files.setPosixFilePermissions(elsewhere, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    @AfterEach
    void stop() throws IOException {
        guest.close();
        init.close();
        freeGuest.close();
        free.close();
        InitBinary.run(List.of("rm", "-rf", elsewhere.toString()));
    }

    private int confine() {
        return guest.confine(List.of(init.directory().toString(), "/dev/shm"));
    }

    @Test
    void nothingIsWrittenOutsideThePlaces() throws Exception {
        String script =
                """
                touch file; mkdir dir dir2
                for place in . %s /dev/shm; do
                  x=$(mktemp -d $place/tryXXXXXX 2>/dev/null) && rmdir $x && echo "dir $place"
                  x=$(mktemp $place/tryXXXXXX 2>/dev/null) && rm $x && echo "file $place"
                  ln -s a $place/link 2>/dev/null && rm $place/link && echo "link $place"
                  mkfifo $place/fifo 2>/dev/null && rm $place/fifo && echo "fifo $place"
                  (truncate -s 3 $place/kept) 2>/dev/null && echo "truncate $place"
                done
                """
                        .formatted(elsewhere);
        Files.writeString(elsewhere.resolve("kept"), "kept");
        Files.setPosixFilePermissions(
                elsewhere.resolve("kept"), PosixFilePermissions.fromString("rw-rw-rw-"));
        List<String> everywhere = new ArrayList<>();
        List<String> places = new ArrayList<>();
        for (String place : List.of(".", elsewhere.toString(), "/dev/shm")) {
            for (String kind : List.of("dir", "file", "link", "fifo", "truncate")) {
                everywhere.add(kind + " " + place);
                if (!place.equals(elsewhere.toString())) {
                    places.add(kind + " " + place);
                }
            }
        }

        assertThat(free.run(freeGuest, script).lines()).as("control").isEqualTo(everywhere);
        Files.writeString(elsewhere.resolve("kept"), "kept");
        assertThat(confine()).isEqualTo(Math.min(7, Landlock.offered()));
        assertThat(init.run(guest, script).lines()).isEqualTo(places);
        assertThat(elsewhere.resolve("kept")).hasContent("kept");
        assertThatThrownBy(() ->
                        guest.write(elsewhere + "/by-init", new byte[1], WriteOptions.DEFAULT))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("EACCES");
        Files.deleteIfExists(Path.of("/dev/shm/kept"));
    }

    @Test
    void whatAnAgentNeedsInItsPlacesStillWorks() throws Exception {
        confine();
        assertThat(
                        init.run(
                                        guest,
                                        """
                                        set -e
                                        mkdir a b; echo 1 > a/f; mv a/f b/g; ln b/g a/h; cat a/h
                                        mv b a/; echo 2 >> a/b/g; cat a/h | wc -l
                                        echo out > /dev/stdout; echo null > /dev/null; cat < <(echo fifo)
                                        script -qec 'stty -echo; tty > /dev/null && echo terminal' /dev/null
                                        python3 -c 'import socket
                                        s = socket.socket(socket.AF_UNIX); s.bind("sock"); s.listen()
                                        c = socket.socket(socket.AF_UNIX); c.connect("sock")
                                        s = socket.socket(socket.AF_UNIX); s.bind("\\0own"); s.listen()
                                        c = socket.socket(socket.AF_UNIX); c.connect("\\0own"); print("sockets")'
                                        """)
                                .replace("\r", ""))
                .isEqualTo("1\n2\nout\nfifo\nterminal\nsockets\n");
    }

    @Test
    void processesOfOneAgentSignalEachOtherAndNobodyElse() throws Exception {
        List<String> command = new ArrayList<>(LiveInit.asAgent());
        command.addAll(List.of("sleep", "1000"));
        Process outside = new ProcessBuilder(command).start();
        try {
            String probe = "kill -0 " + outside.pid() + " 2>&1 && echo reached";
            LiveInit.await("control: it is reached", () -> succeeds(probe));
            confine();
            GuestProcess own = guest.start(init.request("sleep", "1000"));

            assertThat(init.run(guest, probe)).contains("not permitted");
            init.run(guest, "kill -9 " + own.pid());

            assertThat(own.waitFor(LiveInit.PATIENCE).signal()).isEqualTo(9);
            assertThat(outside.isAlive()).isTrue();
        } finally {
            outside.destroyForcibly();
        }
    }

    @Test
    void noAbstractSocketOutsideIsReached() throws Exception {
        String name = "glovebox-canary-" + ProcessHandle.current().pid();
        Path ready = init.directory().resolve("ready");
        Process outside =
                new ProcessBuilder(
                                "python3",
                                "-c",
                                "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind('\\0"
                                        + name
                                        + "'); s.listen(); open(sys.argv[1],'w'); s.accept();"
                                        + " s.accept()",
                                ready.toString())
                        .start();
        try {
            LiveInit.await("it listens", () -> Files.exists(ready));
            String connect =
                    "python3 -c \"import socket; socket.socket(socket.AF_UNIX).connect('\\0"
                            + name
                            + "'); print('connected')\" 2>&1 | tail -1";
            assertThat(free.run(freeGuest, connect)).as("control").isEqualTo("connected\n");
            confine();
            assertThat(init.run(guest, connect)).contains("PermissionError");
        } finally {
            outside.destroyForcibly();
        }
    }

    @Test
    void noDeviceNodeIsMade() throws Exception {
        String script = "mknod null c 0 0 2>&1 && rm null && echo made";
        assertThat(free.run(freeGuest, script)).as("control").isEqualTo("made\n");
        confine();
        assertThat(init.run(guest, script)).contains("Permission denied");
    }

    @Test
    void aPlaceThatIsNotThereIsAnError() {
        assertThatThrownBy(() -> guest.confine(List.of(init.path("missing"))))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("ENOENT");
    }

    @Test
    void askingTwiceEndsEverything() {
        confine();
        assertThatThrownBy(this::confine).isInstanceOf(GuestException.class);
        LiveInit.await("the connection ends", () -> !guest.isOpen());
    }

    /// It would be outside, and could not even be killed.
    @Test
    void askingAfterTheFirstProcessEndsEverything() throws Exception {
        assertThat(init.run(guest, "echo started")).isEqualTo("started\n");
        assertThatThrownBy(this::confine).isInstanceOf(GuestException.class);
        LiveInit.await("the connection ends", () -> !guest.isOpen());
    }

    private boolean succeeds(String script) {
        try {
            return free.run(freeGuest, script).equals("reached\n");
        } catch (Exception e) {
            throw new AssertionError(script, e);
        }
    }
}
