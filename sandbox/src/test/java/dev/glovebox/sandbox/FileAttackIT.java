package dev.glovebox.sandbox;

import static dev.glovebox.sandbox.RuntimeName.RUNSC;
import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.guest.DirectoryEntry;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.sandbox.guest.WriteOptions;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A hostile tree of files: what is planted in a workspace from either side, and what an agent
/// changes under the hands of the file calls. Needs root.
class FileAttackIT {
    private static final int READS = 10_000;
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    /// A24: programs that would give their caller another id or capabilities, planted on the
    /// workspace by the host and made inside by the agent. Outside of the walls they do give the
    /// agent's own ids that.
    @ParameterizedTest
    @EnumSource
    void noProgramGivesItsCallerMore(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path workspace = ground.workspace("more");
        for (String name : List.of("setuid", "setgid", "capable")) {
            Files.copy(
                    Path.of("/bin/grep"),
                    workspace.resolve(name),
                    StandardCopyOption.REPLACE_EXISTING);
        }
        Files.setAttribute(workspace.resolve("setuid"), "unix:mode", 04755);
        Files.setAttribute(workspace.resolve("setgid"), "unix:mode", 02755);
        Ground.host(
                "python3",
                "-c",
                "import os,sys,struct; os.setxattr(sys.argv[1], 'security.capability',"
                        + " struct.pack('<IIIII', 0x02000001, 0x2002, 0, 0, 0))",
                workspace.resolve("capable").toString());
        String facts = " -hE '^(Uid|Gid|Cap(Prm|Eff|Bnd))' /proc/self/status | tr -s '\\t ' ' '";
        try (Sandbox sandbox = ground.sandbox("more", Limits.DEFAULT)) {
            assertThat(besideTheWalls(sandbox, workspace, "setuid", facts))
                    .as("control")
                    .containsPattern("Uid: 1[89]\\d{8} 0 0 0\n");
            assertThat(besideTheWalls(sandbox, workspace, "setgid", facts))
                    .as("control")
                    .containsPattern("Gid: 1[89]\\d{8} 0 0 0\n");
            assertThat(besideTheWalls(sandbox, workspace, "capable", facts))
                    .as("control")
                    .contains("CapEff: 0000000000002002\n");
            String own = Ground.shell(sandbox, "grep" + facts).output();
            assertThat(own).contains("Uid: 1000 1000 1000 1000", "CapEff: 0000000000000000");
            for (String program :
                    List.of("/workspace/setuid", "/workspace/setgid", "/workspace/capable")) {
                assertThat(Ground.shell(sandbox, program + facts).output())
                        .as(program)
                        .isEqualTo(own);
            }
            assertThat(
                            Ground.shell(
                                            sandbox,
                                            "cp /bin/grep /tmp/g; chmod 6755 /tmp/g; /tmp/g"
                                                    + facts
                                                    + "; su -c true 2>/dev/null && echo su")
                                    .output())
                    .isEqualTo(own);
            if (runtime == RUNSC) {
                return; // its kernel shows no such flag; those of its file server are attested
            }
            assertThat(
                            Ground.shell(
                                            sandbox,
                                            "grep -vc nosuid /proc/self/mounts; awk '!/nosuid/ {print $2}'"
                                                    + " /proc/self/mounts | grep -v ^/proc/ | grep -v ^/dev/")
                                    .output()
                                    .lines()
                                    .skip(1))
                    .as("mounts without nosuid, but for those of single devices")
                    .isEmpty();
        }
    }

    private static String besideTheWalls(
            Sandbox sandbox, Path workspace, String program, String words) throws Exception {
        return Ground.besideTheWalls(sandbox, workspace.resolve(program) + words);
    }

    /// A25: device nodes made inside. gVisor of 2022 lets nodes be made in its own memory; they
    /// lead to no device.
    @ParameterizedTest
    @EnumSource
    void noDeviceNodeIsMadeInside(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("nodes", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            mkfifo /workspace/fifo && echo control
                            for at in /workspace /tmp /dev/shm /home/agent /dev; do
                              for node in 'b 254 0' 'c 1 1' 'c 10 232' 'c 10 200'; do
                                mknod $at/node $node && %s && echo "$node at $at"; rm -f $at/node
                              done
                            done 2>/dev/null
                            """
                                    .formatted(runtime == RUNSC ? "(exec 3< $at/node)" : "true"));
            assertThat(result.output()).isEqualTo("control\n");
        }
    }

    /// C1, C4: links out of the workspace, of every shape, under the file calls of the worker. A
    /// process with the agent's own ids that goes the same links outside of the walls reads and
    /// writes the file they lead to.
    @ParameterizedTest
    @EnumSource
    void noLinkLeadsAFileCallToTheHost(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path canary = ground.canary("canary-" + runtime);
        Path workspace = ground.workspace("links");
        Map<String, String> links = new LinkedHashMap<>();
        links.put("absolute", canary.toString());
        links.put("climbing", "../../../../../../.." + canary);
        links.put("self", "/proc/self/root" + canary);
        links.put("cwd", "/proc/self/cwd/../../../../.." + canary);
        links.put("init", "/proc/1/root" + canary);
        links.put("shadow", "/etc/shadow");
        links.put("dangling", "nowhere");
        links.put("loop", "loop");
        for (int i = 0; i < 41; i++) {
            links.put("chain" + i, i == 40 ? canary.toString() : "chain" + (i + 1));
        }
        for (Map.Entry<String, String> link : links.entrySet()) {
            Files.createSymbolicLink(workspace.resolve(link.getKey()), Path.of(link.getValue()));
        }
        try (Sandbox sandbox = ground.sandbox("links", Limits.DEFAULT)) {
            for (String link :
                    List.of("absolute", "climbing", "self", "cwd", "chain1", "chain40")) {
                Path path = workspace.resolve(link);
                assertThat(
                                Ground.besideTheWalls(
                                        sandbox, "cat %1$s; echo -n canary > %1$s".formatted(path)))
                        .as("control: %s leads there", link)
                        .isEqualTo("canary");
            }
            sandbox.guest()
                    .write(
                            "/workspace/own",
                            "own".getBytes(StandardCharsets.UTF_8),
                            WriteOptions.DEFAULT);
            assertThat(sandbox.guest().read("/workspace/own", 0, 100)).as("control").hasSize(3);
            for (String link : links.keySet()) {
                String path = "/workspace/" + link;
                assertThat(
                                answer(() ->
                                        new String(
                                                sandbox.guest().read(path, 0, 100),
                                                StandardCharsets.UTF_8)))
                        .as(link)
                        .matches("(?s)[^:]*: ?.*(ENOENT|EACCES|ELOOP).*")
                        .doesNotContain("root:");
                answer(() -> {
                    sandbox.guest().write(path, new byte[] {'x'}, WriteOptions.DEFAULT);
                    return "written";
                });
                assertThat(canary).as(link).hasContent("canary");
            }
        }
        assertThat(Path.of("/etc/shadow")).isRegularFile();
    }

    /// C5: a second name for a file of the host. Inside none can be made, since whatever is shown
    /// of the host is another mount; and a workspace with limits is a file system of its own, where
    /// root of the host can make none either (`WorkspacesIT`).
    @ParameterizedTest
    @EnumSource
    void noHardLinkToAFileOfTheHostIsMade(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        try (Sandbox sandbox = ground.sandbox("hard", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            cd /workspace; echo own > own; ln own second && cat second
                            for file in /usr/bin/true /etc/passwd /.glovebox/init /attack/attack /proc/self/status; do
                              ln $file stolen 2>&1 | grep -oE 'Invalid cross-device link|not permitted'
                              python3 -c "import os; os.link('$file', 'by-descriptor', src_dir_fd=os.open('/', 0), follow_symlinks=True)" 2>&1 \
                                  | grep -oE 'Invalid cross-device link|not permitted'
                            done
                            ls
                            """);
            assertThat(result.output().lines().toList())
                    .as(result.output())
                    .startsWith("own")
                    .endsWith("own", "second")
                    .hasSize(13)
                    .filteredOn(line -> line.matches("Invalid cross-device link|not permitted"))
                    .hasSize(10);
        }
    }

    @FunctionalInterface
    private interface Call {
        String make();
    }

    private static String answer(Call call) {
        try {
            return call.make();
        } catch (GuestException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /// C2, C6, C7: a name that is a file at one moment, and a link to the memory of init, a FIFO, a
    /// device or a directory at the next, under ten thousand reads. None waits, none answers
    /// anything but the file.
    @ParameterizedTest
    @EnumSource
    void aNameThatIsSwappedWhileItIsReadIsAFileOrAnError(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        try (Sandbox sandbox = ground.sandbox("swap", Limits.DEFAULT)) {
            Ground.shell(
                    sandbox,
                    """
                    cd /workspace; echo harmless > file; mkfifo fifo; ln -s /proc/1/environ memory; ln -s /dev/zero zero
                    ln -s /proc/1/mem mem; mkdir dir; ln -s /proc/kcore core; cp file flip
                    """);
            String racer =
                    """
                    import ctypes, itertools, os
                    libc = ctypes.CDLL(None)
                    for other in itertools.cycle([b'fifo', b'memory', b'zero', b'mem', b'dir', b'core']):
                        if libc.renameat2(-100, b'flip', -100, other, 2) < 0:
                            os.symlink(other, b'next'); os.rename(b'next', b'flip')
                            os.link(b'file', b'next'); os.rename(b'next', b'flip')
                        else: libc.renameat2(-100, b'flip', -100, other, 2)
                    """;
            try (GuestProcess flipper =
                    sandbox.guest()
                            .start(
                                    ProcessRequest.of(
                                            List.of("/usr/bin/python3", "-c", racer),
                                            sandbox.environment(),
                                            "/workspace"))) {
                Set<String> seen = new TreeSet<>();
                for (int i = 0; i < READS; i++) {
                    seen.add(
                            answer(() ->
                                    new String(
                                            sandbox.guest().read("/workspace/flip", 0, 1 << 16),
                                            StandardCharsets.UTF_8)));
                }
                assertThat(flipper.exit()).as("it still flips").isEmpty();
                assertThat(seen).contains("harmless\n").hasSizeGreaterThan(1);
                seen.remove("harmless\n");
                assertThat(seen)
                        .allMatch(error ->
                                error.matches("(?s).*(EINVAL|EACCES|EISDIR|ENXIO|ENOENT).*"));
            }
        }
    }

    /// C3, C13: directories that are moved away while they are removed, with a neighbour beside
    /// them that must stay.
    @ParameterizedTest
    @EnumSource
    void aTreeThatIsMovedWhileItIsRemovedTakesNothingElseAlong(RuntimeName runtime)
            throws Exception {
        Ground ground = ground(runtime);
        try (Sandbox sandbox = ground.sandbox("moved", Limits.DEFAULT)) {
            String racer =
                    """
                    import os
                    while True:
                        for a, b in (('tree/a/b', 'keep/b'), ('keep/b', 'tree/a/b')):
                            try: os.rename(a, b)
                            except OSError: pass
                    """;
            Ground.shell(
                    sandbox,
                    "cd /workspace; mkdir keep; echo kept > keep/file; mkdir -p /tmp/out; echo out > /tmp/out/f");
            try (GuestProcess mover =
                    sandbox.guest()
                            .start(
                                    ProcessRequest.of(
                                            List.of("/usr/bin/python3", "-c", racer),
                                            sandbox.environment(),
                                            "/workspace"))) {
                for (int i = 0; i < 30; i++) {
                    Ground.shell(
                            sandbox,
                            "cd /workspace; mkdir -p tree/a/b/c/d; touch tree/a/b/c/{1..20}; ln -s /tmp/out tree/a/link 2>/dev/null");
                    answer(() -> {
                        sandbox.guest().remove("/workspace/tree", true);
                        return "removed";
                    });
                }
                assertThat(mover.exit()).as("it still moves").isEmpty();
            }
            assertThat(Ground.shell(sandbox, "cat /workspace/keep/file /tmp/out/f").output())
                    .isEqualTo("kept\nout\n");
        }
    }

    /// C8: a file that is cut and grown while it is read.
    @ParameterizedTest
    @EnumSource
    void aFileThatIsCutWhileItIsReadIsShorterAndNoMore(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("cut", Limits.DEFAULT)) {
            Ground.shell(sandbox, "truncate -s 1M /workspace/file");
            try (GuestProcess cutter =
                    sandbox.guest()
                            .start(
                                    ProcessRequest.of(
                                            List.of(
                                                    "/usr/bin/python3",
                                                    "-c",
                                                    "import os\nwhile True:\n os.truncate('file', 0); os.truncate('file', 1 << 20)"),
                                            sandbox.environment(),
                                            "/workspace"))) {
                Set<Integer> sizes = new TreeSet<>();
                for (int i = 0; i < 500; i++) {
                    sizes.add(sandbox.guest().read("/workspace/file", 0, 1 << 20).length);
                }
                assertThat(cutter.exit()).isEmpty();
                assertThat(sizes).allMatch(size -> size <= 1 << 20).hasSizeGreaterThan(1);
            }
        }
    }

    /// B7, C7: a file as long as the file system takes one, all of it a hole. The agent cannot make
    /// one ([ExhaustionIT]), so the host does. It is read by parts, up to what was asked for.
    @ParameterizedTest
    @EnumSource
    void aFileOfManyTerabytesIsReadAsFarAsAskedFor(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path sparse = ground.workspace("vast").resolve("sparse");
        long size = 1L << 60;
        try (RandomAccessFile file = new RandomAccessFile(sparse.toFile(), "rw")) {
            while (file.length() == 0) {
                size /= 2;
                try {
                    file.setLength(size);
                } catch (IOException e) {
                    assertThat(e).hasMessageContaining("File too large");
                }
            }
        }
        assertThat(size).as("control").isGreaterThan(1L << 42);
        try (Sandbox sandbox = ground.sandbox("vast", Limits.DEFAULT)) {
            assertThat(sandbox.guest().stat("/workspace/sparse", true).size()).isEqualTo(size);
            assertThat(sandbox.guest().read("/workspace/sparse", 0, 1 << 20)).hasSize(1 << 20);
            assertThat(sandbox.guest().read("/workspace/sparse", size - 10, 1000)).hasSize(10);
            assertThat(sandbox.guest().read("/workspace/sparse", size, 1000)).isEmpty();
            assertThat(Ground.shell(sandbox, "cat /workspace/sparse | head -c 3 | wc -c").output())
                    .isEqualTo("3\n");
        }
    }

    /// C9: names of every byte there is, and names that pretend to be others.
    @ParameterizedTest
    @EnumSource
    void everyNameThatIsUtf8ComesBackAsItIs(RuntimeName runtime) throws Exception {
        List<String> names = new ArrayList<>();
        for (char c = 1; c < 256; c++) {
            if (c != '/' && c != '.') {
                names.add(String.valueOf(c));
                names.add("a" + c + "b");
            }
        }
        names.addAll(
                List.of(
                        "\u202etxt.exe",
                        "e\u0301",
                        "\ufeffx",
                        " lead",
                        "trail ",
                        "...",
                        "-rf",
                        "CON",
                        "\ud83d\ude00"));
        names.add("n".repeat(255));
        Ground ground = ground(runtime);
        try (Sandbox sandbox = ground.sandbox("names", Limits.DEFAULT)) {
            for (String name : names) {
                sandbox.guest()
                        .write(
                                "/workspace/" + name,
                                name.getBytes(StandardCharsets.UTF_8),
                                WriteOptions.DEFAULT);
            }
            List<String> listed =
                    sandbox.guest().list("/workspace", 10_000).stream()
                            .map(DirectoryEntry::name)
                            .toList();
            assertThat(listed).containsExactlyInAnyOrderElementsOf(names);
            for (String name : names) {
                assertThat(sandbox.guest().read("/workspace/" + name, 0, 1000))
                        .isEqualTo(name.getBytes(StandardCharsets.UTF_8));
            }
            Ground.shell(sandbox, "touch $'/workspace/\\xff\\xfe' $'/workspace/\\xc3('");
            assertThat(sandbox.guest().list("/workspace", 10_000)).hasSize(names.size() + 2);
        }
    }

    /// C12: putting a directory with links to files of the host inside changes no owner of theirs.
    @ParameterizedTest
    @EnumSource
    void shiftingOwnersFollowsNoLink(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path shadow = Path.of("/etc/shadow");
        Object before = Files.getAttribute(shadow, "unix:uid");
        Path link = ground.workspace("owners").resolve("shadow");
        Files.createSymbolicLink(link, shadow);
        try (Sandbox sandbox = ground.sandbox("owners", Limits.DEFAULT)) {
            assertThat(
                            Ground.shell(
                                            sandbox,
                                            "chown -hR agent /workspace; chown agent /workspace/shadow 2>/dev/null; touch /workspace/own && echo control")
                                    .output())
                    .contains("control");
        }
        assertThat(Files.getAttribute(shadow, "unix:uid")).isEqualTo(before);
        assertThat(Files.getAttribute(link, "unix:uid", LinkOption.NOFOLLOW_LINKS)).isIn(0, 1000);
    }

    /// C27: what a file call says when it fails names the path inside and nothing of the host.
    @ParameterizedTest
    @EnumSource
    void noErrorNamesAPathOfTheHost(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        String host = ground.directory().toString();
        try (Sandbox sandbox = ground.sandbox("errors", Limits.DEFAULT)) {
            List<Call> calls =
                    List.of(
                            () -> "" + sandbox.guest().read("/workspace/none", 0, 1).length,
                            () -> sandbox.guest().list("/workspace/none", 1) + "",
                            () -> sandbox.guest().realPath("/workspace/../workspace/."),
                            () -> sandbox.guest().realPath("/workspace/none"),
                            () -> start(sandbox, "/workspace/none"),
                            () -> {
                                sandbox.guest().write("/usr/x", new byte[1], WriteOptions.DEFAULT);
                                return "";
                            },
                            () -> {
                                sandbox.guest().rename("/workspace/none", "/usr/none");
                                return "";
                            });
            for (Call call : calls) {
                assertThat(answer(call)).isNotEmpty().doesNotContain(host);
            }
        }
    }

    private static String start(Sandbox sandbox, String program) {
        sandbox.guest()
                .start(ProcessRequest.of(List.of(program), sandbox.environment(), "/"))
                .close();
        return "";
    }
}
