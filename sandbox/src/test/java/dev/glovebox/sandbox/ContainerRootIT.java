package dev.glovebox.sandbox;

import static dev.glovebox.sandbox.RuntimeName.RUNSC;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The same attacks from uid 0 of a sandbox of profile `dev`, with all it has: ten capabilities
/// over its own files and ids, a root that can be written, and a debugger. Needs root.
class ContainerRootIT {
    private static final int EPERM = 1;
    private static final int ENOSYS = 38;
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    /// What a debugger needs; they reach the sandbox's own processes alone.
    private static final Set<String> FOR_DEBUGGERS =
            Set.of("ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "personality");

    /// What root may do to gVisor's kernel, which is the sandbox's alone.
    private static final Set<String> OF_GVISORS_KERNEL = Set.of("oom", "nice");

    private static Sandbox sandbox(RuntimeName runtime, String name) throws Exception {
        return GROUNDS.under(runtime)
                .sandbox(name, Template.DEV.withRuntime(runtime), Limits.DEFAULT);
    }

    @ParameterizedTest
    @EnumSource
    void theListOfSystemCallsIsThatOfTheAgentButForDebuggers(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = sandbox(runtime, "calls")) {
            Map<String, Integer> calls = Ground.run(sandbox, "/attack/attack", "calls").numbers();
            assertThat(calls).hasSizeGreaterThan(60);
            calls.forEach((call, errno) -> {
                if (!FOR_DEBUGGERS.contains(call)) {
                    assertThat(errno).as(call).isIn(EPERM, ENOSYS);
                }
            });
            Map<String, Integer> sockets =
                    Ground.run(sandbox, "/attack/attack", "sockets").numbers();
            sockets.forEach((socket, errno) -> {
                if (!Set.of("1/0", "2/0", "10/0", "16/0", "pair-unix").contains(socket)) {
                    assertThat(errno).as(socket).isEqualTo(EPERM);
                }
            });
        }
    }

    /// Mounts, devices, settings of the kernel, the clock, the limits: none is root's here.
    @ParameterizedTest
    @EnumSource
    void rootHereIsNotRootOfTheMachine(RuntimeName runtime) throws Exception {
        String pattern = Files.readString(Path.of("/proc/sys/kernel/core_pattern"));
        try (Sandbox sandbox = sandbox(runtime, "root")) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            id -u; touch /usr/local/own && echo control
                            cat /proc/self/mountinfo > /before; exec 2>/dev/null; mkdir /m
                            mount -t tmpfs none /m && echo tmpfs; mount -t proc none /m && echo proc
                            mount -t cgroup -o memory none /m && echo cgroup; mount -t sysfs none /m && echo sysfs
                            mount --bind / /m && echo bind; mount -o remount,rw,bind /.glovebox/init && echo remount
                            mount -o remount,suid,dev / && echo suid; umount -l /proc/sys && echo umount
                            chroot / true && echo chroot; unshare -m true && echo unshare; unshare -U true && echo user
                            mknod /m/disk b 254 0 && echo disk; mknod /m/mem c 1 1 && echo mem; mknod /m/null c 1 3 && echo null
                            for f in kernel/core_pattern kernel/modprobe vm/drop_caches kernel/sysrq net/ipv4/ip_forward; do
                              echo 1 > /proc/sys/$f && echo "writes $f"
                            done
                            echo b > /proc/sysrq-trigger && echo sysrq; echo -1000 > /proc/self/oom_score_adj && echo oom
                            date -s 2001-01-01 > /dev/null && echo date; hostname other && echo hostname
                            [ "$(nice -n -5 nice)" = -5 ] && echo nice
                            ulimit -Hn 1000000 && echo files; ip link add type dummy && echo link
                            python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)' && echo raw
                            cat /proc/kcore | head -c 1 | grep -c . | grep -v 0; dmesg | head -1
                            cmp /before /proc/self/mountinfo && echo unchanged
                            """);
            assertThat(result.output().lines())
                    .filteredOn(line -> runtime != RUNSC || !OF_GVISORS_KERNEL.contains(line))
                    .containsExactly("0", "control", "unchanged");
        }
        assertThat(Files.readString(Path.of("/proc/sys/kernel/core_pattern"))).isEqualTo(pattern);
    }

    /// Pid 1 has the same uid, and a debugger is allowed. gVisor of 2022 shows what is no secret.
    @ParameterizedTest
    @EnumSource
    void pidOneIsNeitherReadNorTracedNorEndedNorReplaced(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = sandbox(runtime, "one")) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            cat > /tmp/trace.py <<'END'
                            import ctypes, os, sys
                            libc = ctypes.CDLL(None, use_errno=True)
                            def attach(pid): return libc.ptrace(16, pid, 0, 0) == 0
                            child = os.fork()
                            if child == 0:
                                import time; time.sleep(100)
                            print('own', attach(child)); os.kill(child, 9)
                            print('one', attach(1), libc.ptrace(0x4206, 1, 0, 0) == 0)
                            END
                            python3 /tmp/trace.py
                            exec 2>/dev/null
                            for f in environ mem maps fd root cwd exe ns/net stat stack syscall; do
                              (cat /proc/1/$f || ls /proc/1/$f/ || readlink /proc/1/$f) > /dev/null && echo "sees $f"
                            done
                            for s in $(seq 64); do kill -$s 1; done
                            echo x > /.glovebox/init && echo "wrote init"; rm -rf /.glovebox && echo "removed init"
                            mv /.glovebox /gb && echo "moved init"; mv /tmp/trace.py /.glovebox/init && echo "replaced init"
                            chmod 777 /.glovebox/init && echo "chmod init"; ls /.glovebox
                            echo alive
                            """);
            List<String> expected = new ArrayList<>(List.of("own True", "one False False"));
            expected.addAll(
                    runtime == RUNSC
                            ? List.of("sees environ", "sees maps", "sees ns/net", "sees stat")
                            : List.of("init")); // the ls of Debian fails under this gVisor
            expected.add("alive");
            assertThat(result.output().lines())
                    .filteredOn(line -> !line.equals("moved init"))
                    .containsExactlyElementsOf(expected);
            assertThat(sandbox.guest().isOpen()).isTrue();
        }
    }

    /// What root may do is over its own ids, and no program gives it more.
    @ParameterizedTest
    @EnumSource
    void noCapabilityIsGainedAndNoIdOutsideItsOwn(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = sandbox(runtime, "ids")) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            grep CapBnd /proc/self/status > /tmp/a
                            cp /bin/grep /tmp/g && chmod 6755 /tmp/g
                            python3 -c "import os,struct; os.setxattr('/tmp/g', 'security.capability', struct.pack('<IIIII', 0x02000001, 0xffffffff, 0, 0x1ff, 0))"
                            /tmp/g CapBnd /proc/self/status | cmp - /tmp/a && echo same
                            setpriv --reuid=1000 --regid=1000 --clear-groups /tmp/g -E '^(Uid|CapEff)' /proc/self/status | tr -s '\\t ' ' '
                            setpriv --reuid=65534 --clear-groups true && echo own
                            setpriv --reuid=65536 --clear-groups true 2>/dev/null && echo beyond
                            setpriv --reuid=4000000000 --clear-groups true 2>/dev/null && echo beyond
                            touch /tmp/f; chown 70000 /tmp/f 2>/dev/null && echo beyond
                            """);
            assertThat(result.output())
                    .contains("same\nUid: 1000 1000 1000 1000\nCapEff: 0000000000000000\nown\n");
            if (runtime != RUNSC) {
                assertThat(result.output()).doesNotContain("beyond");
            }
            for (int pid : sandbox.processes()) {
                assertThat((int) Files.getAttribute(Path.of("/proc/" + pid), "unix:uid"))
                        .isNotIn(0, 1000);
            }
        }
    }

    /// A set-uid program that root makes on the workspace must not be root's on the host's disk.
    @ParameterizedTest
    @EnumSource
    void noProgramOfTheHostsRootIsLeftOnTheWorkspace(RuntimeName runtime) throws Exception {
        Ground ground = GROUNDS.under(runtime);
        try (Sandbox sandbox = sandbox(runtime, "planted")) {
            Ground.shell(
                    sandbox,
                    "cd /workspace; cp /bin/sh shell; chmod 6755 shell; mkdir dir; chmod 7777 dir; chown -R 0:0 . ; ls");
        }
        Map<String, Object> owners = new TreeMap<>();
        try (var files = Files.list(ground.workspace("planted"))) {
            files.forEach(file -> owners.put(file.getFileName().toString(), owner(file)));
        }
        assertThat(owners).as("control").containsKeys("shell", "dir");
        assertThat(owners.values()).doesNotContain(0);
    }

    private static Object owner(Path file) {
        try {
            return Files.getAttribute(file, "unix:uid");
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
