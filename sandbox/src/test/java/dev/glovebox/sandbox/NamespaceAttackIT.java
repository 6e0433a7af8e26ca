package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a sandbox could share with the host or with another sandbox without a file: sockets without
/// a path, addresses, shared memory, names, clocks. Needs root.
class NamespaceAttackIT {
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    private static final String CONNECT =
            """
            python3 -c "import socket
            s = socket.socket(socket.AF_UNIX); s.settimeout(5)
            try:
                s.connect('\\0%s'); print('connected')
            except OSError as e: print('refused')"
            """;

    /// A27: a socket without a path, of the host and of another sandbox.
    @ParameterizedTest
    @EnumSource
    void noAbstractSocketOfOthersIsReached(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        String name = "glovebox-canary-" + runtime + ProcessHandle.current().pid();
        String listen =
                "import socket,time; s=socket.socket(socket.AF_UNIX); s.bind('\\0%s'); s.listen(9);"
                        + " print('listens', flush=True); time.sleep(1000)";
        Process host = new ProcessBuilder("python3", "-c", listen.formatted(name + "h")).start();
        try (Sandbox one = ground.sandbox("one", Limits.DEFAULT);
                Sandbox two = ground.sandbox("two", Limits.DEFAULT)) {
            assertThat(host.inputReader(StandardCharsets.UTF_8).readLine()).isEqualTo("listens");
            Process control =
                    new ProcessBuilder("bash", "-c", CONNECT.formatted(name + "h")).start();
            assertThat(control.inputReader(StandardCharsets.UTF_8).readLine())
                    .as("control")
                    .isEqualTo("connected");
            String inside =
                    "python3 -c \""
                            + listen.formatted(name + "s")
                            + "\" > /tmp/out & "
                            + "until grep -q listens /tmp/out; do sleep 0.01; done\n"
                            + CONNECT.formatted(name + "s");
            assertThat(Ground.shell(one, inside + "sleep 0").output())
                    .as("control inside")
                    .isEqualTo("connected\n");

            assertThat(Ground.shell(one, CONNECT.formatted(name + "h")).output())
                    .isEqualTo("refused\n");
            assertThat(Ground.shell(two, CONNECT.formatted(name + "s")).output())
                    .isEqualTo("refused\n");
        } finally {
            host.destroyForcibly();
        }
    }

    /// A28: no socket with a path is shown inside, of the worker, of the door or of anybody.
    @ParameterizedTest
    @EnumSource
    void noSocketOfTheHostIsShown(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("shown", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('/tmp/control')"
                            find / -not -path '/proc/*' -not -path '/usr/*' -type s 2>/dev/null
                            """);
            assertThat(result.output()).isEqualTo("/tmp/control\n");
        }
    }

    /// A31: by the other version of the protocol, by addresses that mean the host, the cloud or the
    /// neighbour, and by those written in an odd way.
    @ParameterizedTest
    @EnumSource
    void noAddressLeadsOutOfASandboxWithoutANetwork(RuntimeName runtime) throws Exception {
        try (ServerSocket four = new ServerSocket(0, 10, InetAddress.ofLiteral("127.0.0.1"));
                ServerSocket six = new ServerSocket(0, 10, InetAddress.ofLiteral("::1"));
                Sandbox sandbox = ground(runtime).sandbox("addresses", Limits.DEFAULT)) {
            String script =
                    """
                    cat > /tmp/try.py <<'END'
                    import socket, sys
                    for line in sys.stdin:
                        address, port = line.split()
                        kind = socket.SOCK_STREAM if int(port) > 1000 else socket.SOCK_DGRAM
                        for family in (socket.AF_INET, socket.AF_INET6):
                            s = socket.socket(family, kind); s.settimeout(3)
                            try:
                                s.connect((address, int(port))); s.send(b'x'); print('reached', address, port)
                            except OSError: pass
                    END
                    python3 /tmp/try.py <<END
                    127.0.0.1 %1$d
                    127.1 %1$d
                    0.0.0.0 %1$d
                    2130706433 %1$d
                    ::ffff:127.0.0.1 %1$d
                    ::1 %2$d
                    :: %2$d
                    fe80::1%%lo %2$d
                    ff02::1%%lo 53
                    169.254.169.254 8080
                    169.254.169.254 53
                    ::ffff:169.254.169.254 8080
                    ::ffff:169.254.169.254 53
                    fd00:ec2::254 8080
                    fd00:ec2::254 53
                    2001:db8::10 8080
                    2001:db8::10 53
                    10.0.0.5 8080
                    10.0.0.5 53
                    224.0.0.1 53
                    255.255.255.255 53
                    END
                    tail -n +3 /proc/net/dev | cut -d: -f1; tail -n +2 /proc/net/route
                    """
                            .formatted(four.getLocalPort(), six.getLocalPort());
            Process control = new ProcessBuilder("bash", "-c", script).start();
            assertThat(control.inputReader(StandardCharsets.UTF_8).lines())
                    .as("control")
                    .anyMatch(l -> l.startsWith("reached 127.0.0.1 "))
                    .anyMatch(l -> l.startsWith("reached ::1 "));

            assertThat(Ground.shell(sandbox, script).output().strip()).isEqualTo("lo");
        }
    }

    /// A38: shared memory, semaphores and message queues of the host.
    @ParameterizedTest
    @EnumSource
    void noSharedMemoryOfTheHostIsSeenOrAttached(RuntimeName runtime) throws Exception {
        Path posix = Path.of("/dev/shm/glovebox-canary-" + ProcessHandle.current().pid());
        String memory = id(host("ipcmk", "-M", "4096", "-p", "0666"));
        String queue = id(host("ipcmk", "-Q", "-p", "0666"));
        Files.writeString(posix, "canary");
        try (Sandbox sandbox = ground(runtime).sandbox("shm", Limits.DEFAULT)) {
            String list =
                    "tail -q -n +2 /proc/sysvipc/shm /proc/sysvipc/msg /proc/sysvipc/sem 2>/dev/null | wc -l";
            assertThat(Integer.parseInt(host("bash", "-c", list).strip()))
                    .as("control")
                    .isGreaterThanOrEqualTo(2);
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            list
                                    + "; (cd /dev/shm; echo *) | grep -vxF '*';"
                                    + " ipcrm -m "
                                    + memory
                                    + " || echo kept;"
                                    + " ipcrm -q "
                                    + queue
                                    + " || echo kept;"
                                    + " ipcmk -M 4096 > /dev/null && echo own");
            assertThat(result.output().lines().filter(l -> !l.startsWith("ipcrm")))
                    .filteredOn(line -> !line.equals("kept"))
                    .containsExactly("0", "own");
            assertThat(host("ipcs", "-m", "-i", memory)).contains("0666");
            assertThat(host("ipcs", "-q", "-i", queue)).contains("0666");
        } finally {
            host("ipcrm", "-m", memory);
            host("ipcrm", "-q", queue);
            Files.delete(posix);
        }
    }

    /// A19, A39: control groups and files that would name the host.
    @ParameterizedTest
    @EnumSource
    void nothingNamesTheHost(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("names", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            uname -n; hostname -f
                            hostname -d; domainname | grep -vx -e '(none)' -e glovebox
                            cut -d: -f3 /proc/self/cgroup /proc/1/cgroup 2>/dev/null | grep -vx /
                            find /etc/machine-id /etc/ssh /etc/hostid /var/lib/dbus ! -type d -size +0 2>/dev/null; (cd /run; echo *) | grep -vxF '*'
                            grep -v '^#' /etc/hosts | tr -s ' \\t' ' ' ; cut -d: -f1,3 /etc/passwd | tr '\\n' ' '
                            """);
            assertThat(result.output())
                    .as("only ours")
                    .isEqualTo(
                            """
                            glovebox
                            localhost
                            127.0.0.1 localhost glovebox
                            ::1 localhost glovebox
                            root:0 agent:1000 nobody:65534 \
                            """);
        }
    }

    /// A37: no clock of the host can be set.
    @ParameterizedTest
    @EnumSource
    void noClockIsSet(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("clock", Limits.DEFAULT)) {
            long before = System.currentTimeMillis() - System.nanoTime() / 1_000_000;
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            "date -s 2001-01-01 2>&1 | grep -c 'not permitted'; hwclock -w 2>/dev/null;"
                                    + " python3 -c 'import time; time.clock_settime(0, 1)' 2>&1 | tail -1");
            long after = System.currentTimeMillis() - System.nanoTime() / 1_000_000;

            assertThat(result.output().lines())
                    .containsExactly("1", "PermissionError: [Errno 1] Operation not permitted");
            assertThat(Math.abs(after - before)).isLessThan(10_000);
        }
    }

    /// Two sandboxes are strangers, by number and by name.
    @ParameterizedTest
    @EnumSource
    void aNeighbourIsNeitherSeenNorSignalled(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        try (Sandbox one = ground.sandbox("first", Limits.DEFAULT);
                Sandbox two = ground.sandbox("second", Limits.DEFAULT)) {
            String victims =
                    String.join(" ", two.processes().stream().map(String::valueOf).toList());
            Ground.Result result =
                    Ground.shell(
                            one,
                            """
                            sleep 1000 & kill -0 $! && echo control; kill $!
                            for p in %s; do kill -0 $p 2>/dev/null && echo "reaches $p"; done
                            kill -9 -1
                            """
                                    .formatted(victims));
            assertThat(result.output()).startsWith("control\n").doesNotContain("reaches");
            assertThat(Ground.shell(two, "echo alive").output()).isEqualTo("alive\n");
            assertThat(ids(one)).doesNotContainAnyElementsOf(ids(two));
        }
    }

    /// Of those that live: a process can end while it is looked at.
    private static List<Object> ids(Sandbox sandbox) throws IOException {
        List<Object> uids = new ArrayList<>();
        for (int pid : sandbox.processes()) {
            Path process = Path.of("/proc/" + pid);
            try {
                uids.add(Files.getAttribute(process, "unix:uid"));
            } catch (IOException e) {
                assertThat(process).doesNotExist();
            }
        }
        assertThat(uids).isNotEmpty();
        return uids;
    }

    private static String id(String answer) {
        return answer.strip().replaceFirst(".*\\s", "");
    }

    private static String host(String... words) throws Exception {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return output;
    }
}
