package dev.glovebox.sandbox;

import static dev.glovebox.sandbox.RuntimeName.RUNSC;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Attacks on the kernel's system calls, from inside, under each runtime. The positive control is
/// the same program on the host. Needs root.
class SystemCallsIT {
    private static final int EPERM = 1;
    private static final int EBADF = 9;
    private static final int ENOSYS = 38;
    private static final int SIGSYS = 1000 + 31;
    private static final int SIGSEGV = 1000 + 11;
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    /// Answered as if the kernel were older, so that the C library falls back.
    private static final Set<String> AS_IF_UNKNOWN =
            Set.of("clone3", "memfd_secret", "process_madvise");

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    /// A1, A6 to A10, A12, A37, A38: new namespaces, mounts, io_uring, keys, bpf, handles, tracing,
    /// clocks, message queues and the rest of what only attackers call.
    @ParameterizedTest
    @EnumSource
    void forbiddenCallsAreRefused(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Map<String, Integer> host = Ground.onHost(ground.directory(), "calls");
        try (Sandbox sandbox = ground.sandbox("calls", Limits.DEFAULT)) {
            Map<String, Integer> inside = Ground.run(sandbox, "/attack/attack", "calls").numbers();

            assertThat(inside).hasSameSizeAs(host).hasSizeGreaterThan(60);
            inside.forEach(
                    (call, errno) -> assertThat(errno).as(call).isIn(refusals(runtime, call)));
            assertThat(host.values().stream().filter(e -> e != EPERM && e != ENOSYS))
                    .as("calls this kernel has")
                    .hasSizeGreaterThan(50);
        }
    }

    /// gVisor says either of what it has not or does not permit.
    private static Set<Integer> refusals(RuntimeName runtime, String call) {
        return runtime == RUNSC
                ? Set.of(EPERM, ENOSYS)
                : Set.of(AS_IF_UNKNOWN.contains(call) ? ENOSYS : EPERM);
    }

    /// A2 to A5: families with a history (AF_ALG, VSOCK, RXRPC, PACKET), netlink protocols beyond
    /// routing, and internet protocols beyond TCP and UDP.
    @ParameterizedTest
    @EnumSource
    void onlyOrdinarySocketsCanBeMade(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Map<String, Integer> host = Ground.onHost(ground.directory(), "sockets");
        Set<String> ordinary = Set.of("1/0", "2/0", "10/0", "16/0", "pair-unix");
        try (Sandbox sandbox = ground.sandbox("sockets", Limits.DEFAULT)) {
            Map<String, Integer> inside =
                    Ground.run(sandbox, "/attack/attack", "sockets").numbers();

            assertThat(inside).hasSameSizeAs(host);
            inside.forEach((socket, errno) ->
                    assertThat(errno).as(socket).isEqualTo(ordinary.contains(socket) ? 0 : EPERM));
            assertThat(host).containsEntry("16/9", 0).containsEntry("40/0", 0);
        }
    }

    /// A2, A40: the same by the 32-bit and x32 entries of the kernel, where the numbers differ.
    /// gVisor has neither: it takes the numbers for those of the one entry it has, under the list.
    @ParameterizedTest
    @EnumSource
    void foreignSystemCallEntriesKill(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Map<String, Integer> host = Ground.onHost(ground.directory(), "entries");
        try (Sandbox sandbox = ground.sandbox("entries", Limits.DEFAULT)) {
            Map<String, Integer> inside =
                    Ground.run(sandbox, "/attack/attack", "entries").numbers();

            assertThat(host)
                    .as("control")
                    .containsEntry("int80-getpid", 0)
                    .doesNotContainValue(SIGSYS);
            assertThat(inside.keySet()).isEqualTo(host.keySet());
            if (runtime == RUNSC) {
                assertThat(inside)
                        .containsEntry("int80-getpid", EBADF) // as writev(2)
                        .containsEntry("int80-socket", EPERM)
                        .containsEntry("x32-socket", ENOSYS);
            } else {
                assertThat(inside.values()).allMatch(v -> v == SIGSYS || v == SIGSEGV);
            }
        }
    }

    /// A26: a keystroke pushed into a terminal somebody else reads, also with upper bits that the
    /// kernel ignores and a careless filter does not.
    @ParameterizedTest
    @EnumSource
    void noKeystrokeCanBePushedIntoATerminal(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        String attack = ground.directory().resolve("attack/attack") + " input";
        assertThat(Ground.host("script", "-qec", attack, "/dev/null"))
                .as("control: root of the host can")
                .contains("tiocsti 0", "tiocsti-high 0");
        try (Sandbox sandbox = ground.sandbox("terminal", Limits.DEFAULT)) {
            Map<String, Integer> inside =
                    Ground.onTerminal(sandbox, "/attack/attack", "input").numbers();

            assertThat(inside)
                    .containsEntry("tcgets", 0)
                    .containsEntry("tiocsti", EPERM)
                    .containsEntry("tiocsti-high", EPERM)
                    .containsEntry("tioclinux", EPERM);
        }
    }

    @Test
    void ordinaryToolsRunUnderTheList() throws Exception {
        try (Sandbox sandbox = ground(RuntimeName.CRUN).sandbox("tools", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            set -e
                            cd /workspace
                            python3 -c 'import threading, multiprocessing, ssl
                            t = threading.Thread(target=print, args=("python",)); t.start(); t.join()
                            with multiprocessing.Pool(2) as p: print(sum(p.map(abs, [-1, -2])))'
                            node -e 'new (require("worker_threads").Worker)("console.log(1+1)", {eval: true})'
                            git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x
                            git log --oneline | wc -l
                            printf '#include <stdio.h>\\nint main(void){puts("gcc");}' > a.c
                            gcc -o a a.c && ./a
                            printf 'class A{public static void main(String[] a){System.out.println("java");}}' > A.java
                            java A.java
                            """);

            assertThat(result.output()).contains("python", "3", "2", "1", "gcc", "java");
            assertThat(result.exit().code()).as(result.output()).isZero();
        }
    }
}
