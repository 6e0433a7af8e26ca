package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.glovebox.linux.Landlock;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Ways out through files, descriptors, devices and processes, under each runtime. Under gVisor
/// there is no Landlock, and pid 1 is a process like others. Needs root.
class EscapeIT {
    private static final Path SYSRQ = Path.of("/proc/sysrq-trigger");
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    /// The walls themselves, with what must work as the control.
    @ParameterizedTest
    @EnumSource
    void onlyTheAgentsPlacesCanBeWritten(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("places", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            for d in /workspace /tmp /home/agent /dev/shm / /usr /usr/bin /etc \
                                /etc/ssl /var /var/lib /run /root /sys /proc /proc/sys/kernel /dev \
                                /.glovebox /attack /home; do
                              (echo x > $d/.try) 2>/dev/null && echo "writable $d"
                            done
                            cat /workspace/.try
                            """);

            assertThat(result.output().lines())
                    .containsExactly(
                            "writable /workspace",
                            "writable /tmp",
                            "writable /home/agent",
                            "writable /dev/shm",
                            "x");
            assertThat(Files.getAttribute(onDisk(runtime, "places/.try"), "unix:uid"))
                    .isEqualTo(1000);
        }
    }

    /// Landlock behind the mounts: a file of `/proc` that the mounts let its owner write, and whose
    /// owner the agent is, is not written.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void theSecondLayerHoldsWhereTheMountsWouldLetThrough(RuntimeName runtime) throws Exception {
        assumeTrue(Landlock.offered() >= 2, "this kernel has no Landlock");
        try (Sandbox sandbox = ground(runtime).sandbox("layer", Limits.DEFAULT)) {
            assertThat(sandbox.attestation().state())
                    .containsEntry("landlock", String.valueOf(Math.min(7, Landlock.offered())));
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            stat -c %U:%a /proc/self/comm; grep -c '/proc proc rw' /proc/self/mounts
                            echo x > /proc/self/comm
                            cd /workspace && mkdir a && touch f && mv f a/ && ln a/f g && echo works
                            """);

            assertThat(result.output().lines())
                    .containsExactly(
                            "agent:644",
                            "1",
                            "/bin/bash: line 2: /proc/self/comm: Permission denied",
                            "works");
        }
    }

    /// A11: nothing can be learnt of, or done to, pid 1, which has the agent's uid.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void pidOneIsOutOfReach(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("init", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            cat /proc/self/environ > /dev/null && echo own-environ
                            for f in environ mem maps fd root cwd exe ns/net stat; do
                              (cat /proc/1/$f || ls /proc/1/$f/ || readlink /proc/1/$f) >/dev/null 2>&1 \
                                  && echo "sees $f"
                            done
                            kill -9 1; kill -15 1; kill -19 1
                            ls /proc | grep -x 1 && echo listed
                            echo alive
                            """);

            assertThat(result.output().lines()).containsExactly("own-environ", "alive");
            assertThat(sandbox.guest().isOpen()).isTrue();
        }
    }

    /// A11 under gVisor, whose kernel lets everybody of one uid see what pid 1 has open and signal
    /// it. What it has open cannot be opened where it is the channel to the worker; its memory is
    /// closed; and the list lets no signal through. A pid 1 that is stopped would answer no call,
    /// and nobody would be told.
    @Test
    void underGvisorPidOneTellsNoSecretAndTakesNoSignal() throws Exception {
        Ground ground = ground(RuntimeName.RUNSC);
        try (Sandbox sandbox = ground.sandbox("init", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            sleep 1000 & kill -STOP $! && kill -CONT $! && kill $! && echo control
                            cat /proc/self/mem 2>&1 | grep -o 'Input/output error'
                            cat /proc/1/mem 2>&1 | grep -o 'Permission denied'
                            readlink /proc/1/fd/0 | tr -d 0-9; (exec 3<> /proc/1/fd/0) 2>&1 | grep -o 'No such device or address'
                            tr '\\0' '\\n' < /proc/1/environ
                            for signal in STOP KILL TERM 33; do kill -$signal 1; done 2>&1 | grep -c 'not permitted'
                            python3 -c "
                            import ctypes
                            libc = ctypes.CDLL(None, use_errno=True)
                            for who in (1, 1 << 32 | 1):
                                for number, more in ((62, 0), (200, 0), (129, 0), (234, 1), (297, 1)):
                                    words = [who] * (1 + more) + [19, 0]
                                    answer = libc.syscall(number, *map(ctypes.c_long, words))
                                    print(number, answer, ctypes.get_errno())"
                            sleep 1000 & kill -STOP -1; kill -KILL -1; echo alive
                            """);
            assertThat(result.output())
                    .isEqualTo(
                            """
                            control
                            Input/output error
                            Permission denied
                            host:[]
                            No such device or address
                            PATH=/usr/bin:/bin
                            HOME=/home/agent
                            4
                            62 -1 1
                            200 -1 1
                            129 -1 1
                            234 -1 1
                            297 -1 1
                            62 -1 1
                            200 -1 1
                            129 -1 1
                            234 -1 1
                            297 -1 1
                            alive
                            """);
            assertThat(Ground.run(sandbox, "/bin/echo", "on").output()).isEqualTo("on\n");
        }
    }

    /// A14: descriptors of the worker do not arrive, and standard output is a pipe.
    @ParameterizedTest
    @EnumSource
    void noDescriptorOfTheWorkerLeaksIn(RuntimeName runtime) throws Exception {
        List<FileInputStream> open = new ArrayList<>();
        try {
            for (int i = 0; i < 40; i++) {
                open.add(new FileInputStream("/etc/shadow"));
            }
            try (Sandbox sandbox = ground(runtime).sandbox("leaks", Limits.DEFAULT)) {
                Ground.Result result =
                        Ground.shell(
                                sandbox, "cd /proc/self/fd && for f in *; do readlink $f; done");

                assertThat(result.output().lines())
                        .hasSizeGreaterThanOrEqualTo(3)
                        .allMatch(l -> l.matches("(pipe:|host:|/proc/).*"));
                for (int pid : sandbox.processes()) {
                    List<String> held = links(Path.of("/proc/" + pid + "/fd"));
                    assertThat(held)
                            .as("descriptors of pid 1, or of gVisor, whose root is /root")
                            .isNotEmpty()
                            .noneMatch(l -> l.startsWith("/etc") || l.startsWith("/var/lib"));
                    if (runtime != RuntimeName.RUNSC) {
                        assertThat(held).hasSizeLessThan(8);
                    }
                }
            }
        } finally {
            for (FileInputStream stream : open) {
                stream.close();
            }
        }
    }

    /// A19 to A22: control groups, kernel settings and tell-tale files of `/proc`. What is hidden
    /// is `/dev/null` or an empty directory, so a write into it succeeds and means nothing.
    @ParameterizedTest
    @EnumSource
    void theKernelsOwnFilesAreHiddenOrFixed(RuntimeName runtime) throws Exception {
        assertThat(Files.readString(Path.of("/proc/kallsyms"))).as("control").isNotEmpty();
        long helped = answersOfSysrq();
        try (Sandbox sandbox = ground(runtime).sandbox("kernel", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            head -c 1 /proc/meminfo > /dev/null && echo control
                            for f in kallsyms kcore keys key-users timer_list interrupts config.gz kmsg \
                                vmallocinfo iomem ioports mtrr partitions diskstats sysrq-trigger; do
                              n=$(head -c 10 /proc/$f 2>/dev/null | wc -c)
                              [ "$n" = 0 ] || echo "reads $f"
                            done
                            ls /proc/acpi /proc/driver 2>/dev/null | grep -v : | grep .
                            [ %1$s = RUNSC ] || ls /sys
                            for f in sys/kernel/core_pattern sys/kernel/modprobe sys/vm/drop_caches \
                                sys/net/ipv4/ip_forward irq/default_smp_affinity \
                                kallsyms keys kcore sysrq-trigger; do
                              (echo h > /proc/$f) 2>/dev/null || continue
                              what=$(stat -c '%F %t:%T' /proc/$f)
                              [ "$what" = 'character special file 1:3' ] && echo "mask $f" || echo "writes $f"
                            done
                            hostname; cat /etc/hostname
                            grep -c cgroup /proc/self/mounts
                            """
                                    .replace("%1$s", runtime.name()));

            List<String> expected = new ArrayList<>(List.of("control"));
            for (String file : List.of("kallsyms", "keys", "kcore", "sysrq-trigger")) {
                if (Files.exists(Path.of("/proc", file)) && runtime != RuntimeName.RUNSC) {
                    expected.add("mask " + file);
                }
            }
            expected.addAll(List.of("glovebox", "glovebox", "0"));
            assertThat(result.output().lines()).containsExactlyElementsOf(expected);
            assertThat(answersOfSysrq()).as("sysrq did not act").isEqualTo(helped);
        }
        if (Files.exists(SYSRQ)) {
            Files.writeString(SYSRQ, "h");
            assertThat(answersOfSysrq()).as("control: it acts").isGreaterThan(helped);
        }
    }

    /// How often the kernel's log has the answer to the key `h` of sysrq.
    private static long answersOfSysrq() throws Exception {
        Path log = Files.createTempFile("kernel", ".log");
        try {
            Process dmesg = new ProcessBuilder("dmesg").redirectOutput(log.toFile()).start();
            assertThat(dmesg.waitFor()).isZero();
            String text = new String(Files.readAllBytes(log), StandardCharsets.ISO_8859_1);
            return text.lines().filter(line -> line.contains("sysrq: HELP")).count();
        } finally {
            Files.delete(log);
        }
    }

    /// A24: a set-uid program of root, planted on the workspace from outside.
    @ParameterizedTest
    @EnumSource
    void aSetUidProgramGainsNothing(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path planted = ground.workspace("suid").resolve("attack");
        Files.copy(
                ground.directory().resolve("attack/attack"),
                planted,
                StandardCopyOption.REPLACE_EXISTING);
        Files.setAttribute(planted, "unix:mode", 04755);
        try (Sandbox sandbox = ground.sandbox("suid", Limits.DEFAULT)) {
            String stat =
                    "import os; s = os.stat('/workspace/attack'); print(s.st_uid, oct(s.st_mode))";
            assertThat(Ground.run(sandbox, "/usr/bin/python3", "-c", stat).output())
                    .isEqualTo("0 0o104755\n");
            assertThat(Ground.besideTheWalls(sandbox, planted + " uid"))
                    .as("control")
                    .matches("uid 1[89]\\d{8} 0\n");
            assertThat(Ground.run(sandbox, "/workspace/attack", "uid").output())
                    .isEqualTo("uid 1000 1000\n");
        }
    }

    /// A25: a device, planted on the workspace from outside. The `/dev/fuse` of gVisor is its own.
    @ParameterizedTest
    @EnumSource
    void aPlantedDeviceCannotBeOpened(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path planted = ground.workspace("device").resolve("disk");
        Files.deleteIfExists(planted);
        assertThat(new ProcessBuilder("mknod", planted.toString(), "c", "1", "5").start().waitFor())
                .isZero();
        Files.setPosixFilePermissions(planted, PosixFilePermissions.fromString("rw-rw-rw-"));
        try (Sandbox sandbox = ground.sandbox("device", Limits.DEFAULT)) {
            assertThat(
                            Ground.besideTheWalls(
                                    sandbox,
                                    ground.directory().resolve("attack/attack")
                                            + " open "
                                            + planted))
                    .as("control")
                    .isEqualTo("open 0\n");
            assertThat(Ground.run(sandbox, "/attack/attack", "open", "/dev/zero").numbers())
                    .containsEntry("open", 0);
            assertThat(Ground.run(sandbox, "/attack/attack", "open", "/workspace/disk").numbers())
                    .containsEntry("open", 13);
            assertThat(
                            Ground.shell(
                                            sandbox,
                                            "cd /dev; for f in * pts/*; do [ $f = core ] || [ $f = fuse ] && continue; [ -b $f ] || [ -c $f ]"
                                                    + " && echo $f; done")
                                    .output()
                                    .lines())
                    .containsExactlyInAnyOrder(
                            "full", "null", "ptmx", "pts/ptmx", "random", "tty", "urandom", "zero");
        }
    }

    /// A27, A28: the host's loopback and its UNIX sockets.
    @ParameterizedTest
    @EnumSource
    void theHostsLoopbackIsNotTheSandboxs(RuntimeName runtime) throws Exception {
        try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                Sandbox sandbox = ground(runtime).sandbox("loopback", Limits.DEFAULT)) {
            String connect =
                    "timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d' && echo connected"
                            .replace("%d", String.valueOf(server.getLocalPort()));
            Process control = new ProcessBuilder("bash", "-c", connect).start();
            assertThat(control.waitFor()).as("control").isZero();

            assertThat(Ground.shell(sandbox, connect).output()).doesNotContain("\nconnected");
            assertThat(Ground.shell(sandbox, connect).exit().code()).isNotZero();
            assertThat(Ground.shell(sandbox, "cat /proc/net/unix | wc -l").output())
                    .isEqualTo("1\n");
        }
    }

    /// crun gives the owner of the sandbox whatever it has as standard output, the host's
    /// `/dev/null` too if it is that. Two sandboxes at a time have different ids, so a change shows
    /// whoever owned it before.
    @ParameterizedTest
    @EnumSource
    void startingASandboxChangesNoOwnerOnTheHost(RuntimeName runtime) throws Exception {
        Path shared = Path.of("/dev/null");
        try (Sandbox first = ground(runtime).sandbox("null", Limits.DEFAULT)) {
            Object owner = Files.getAttribute(shared, "unix:uid");
            try (Sandbox second = ground(runtime).sandbox("null2", Limits.DEFAULT)) {
                for (Sandbox sandbox : List.of(first, second)) {
                    assertThat(
                                    Ground.shell(sandbox, "chmod 600 /dev/null || echo refused")
                                            .output())
                            .contains("refused");
                }
                assertThat(Files.getAttribute(shared, "unix:uid")).isEqualTo(owner);
            }
            assertThat(Files.getAttribute(shared, "unix:uid")).isEqualTo(owner);
        }
    }

    /// A17: a mount target that leads through a symbolic link.
    @Test
    void aMountThroughALinkIsRefusedAndNothingIsLeft() throws Exception {
        Ground ground = ground(RuntimeName.CRUN);
        Path source = ground.workspace("link");
        List<Mount> mounts = List.of(new Mount(source, "/bin/x", false));

        assertThatThrownBy(() -> ground.sandboxes().create(SandboxSpec.of("link", mounts)))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("symbolic link");

        ground.sandbox("link", Limits.DEFAULT).close();
    }

    private static Path onDisk(RuntimeName runtime, String path) throws Exception {
        return ground(runtime).directory().resolve("workspaces").resolve(path);
    }

    private static List<String> links(Path directory) throws IOException {
        List<String> links = new ArrayList<>();
        try (var stream = Files.newDirectoryStream(directory)) {
            for (Path link : stream) {
                links.add(Files.readSymbolicLink(link).toString());
            }
        }
        return links;
    }
}
