package dev.glovebox.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.MountInfo;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.oci.Privileges;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Takes one thing at a time away from a sandbox that is well.
class AttestorTest {
    private static final List<String> TYPES =
            List.of("cgroup", "ipc", "mnt", "net", "pid", "user", "uts");
    private static final String GIVEN = "net:[77]";
    private static final List<String> MASKED = List.of("/proc/keys", "/proc/scsi");

    private static final String MOUNTS =
            """
            1 0 0:1 / / ro,nosuid,nodev - tmpfs tmpfs rw
            2 1 8:1 /usr /usr ro,nosuid,nodev - ext4 /dev/vda rw
            3 1 8:1 /etc /etc ro,nosuid,nodev,idmapped - ext4 /dev/vda rw
            4 1 8:1 /init /.glovebox/init ro,nosuid,nodev - ext4 /dev/vda rw
            5 1 0:2 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw
            6 1 0:3 / /home/agent rw,nosuid,nodev - tmpfs tmpfs rw
            7 1 8:1 /w /workspace rw,nosuid,nodev,idmapped - ext4 /dev/vda rw
            8 1 0:4 / /proc rw,nosuid,nodev,noexec - proc proc rw,hidepid=invisible
            9 8 0:4 /sys /proc/sys ro - proc proc rw,hidepid=invisible
            12 8 0:5 /null /proc/keys rw,nosuid,noexec - tmpfs tmpfs rw
            13 8 0:7 / /proc/scsi ro - tmpfs tmpfs ro
            10 1 0:5 / /dev rw,nosuid,noexec - tmpfs tmpfs rw
            11 10 0:6 / /dev/shm rw,nosuid,nodev,noexec - tmpfs tmpfs rw
            """;

    private static final String INTERFACES =
            """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
                lo:       0       0    0    0    0     0          0         0        0
            """;

    private final Map<String, String> state = new HashMap<>();
    private final Map<String, String> host = new HashMap<>();
    private final Attestor attestor =
            new Attestor(
                    host,
                    Optional.of(GIVEN),
                    List.of(new Mount(Path.of("/w"), "/workspace", false)),
                    MASKED,
                    new Attestor.Expected(Privileges.AGENT, true, true, false, false));

    AttestorTest() {
        for (String type : TYPES) {
            host.put(type, type + ":[1]");
            state.put("ns/" + type, type + ":[2]");
        }
        state.put("ns/net", GIVEN);
        state.put("pid", "1");
        state.put("dumpable", "0");
        state.put("Uid", "1000\t1000\t1000\t1000");
        state.put("Gid", "1000\t1000\t1000\t1000");
        state.put("Groups", "");
        state.put("NoNewPrivs", "1");
        state.put("Seccomp", "2");
        for (String set : List.of("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")) {
            state.put(set, "0000000000000000");
        }
    }

    @Test
    void aSandboxThatIsWellHasNoMismatch() {
        assertThat(mismatches(MOUNTS)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"/proc/keys", "/proc/scsi"})
    void whatIsNotMaskedIsRefused(String path) {
        String without =
                MOUNTS.lines()
                        .filter(line -> !line.contains(" " + path + " "))
                        .collect(Collectors.joining("\n"));
        assertThat(mismatches(without)).containsExactly("nothing is mounted at " + path);
    }

    @ParameterizedTest
    @CsvSource({
        "Uid,1000 0 1000 1000",
        "Gid,0 0 0 0",
        "Groups,0 1000",
        "NoNewPrivs,0",
        "Seccomp,0",
        "CapInh,0000000000000001",
        "CapPrm,0000000000000001",
        "CapEff,0000000000200000",
        "CapBnd,000001ffffffffff",
        "CapAmb,0000000000000001",
        "dumpable,1",
        "pid,17",
        "ns/cgroup,cgroup:[1]",
        "ns/ipc,ipc:[1]",
        "ns/mnt,mnt:[1]",
        "ns/pid,pid:[1]",
        "ns/user,user:[1]",
        "ns/uts,uts:[1]",
        "ns/net,net:[1]",
        "ns/net,net:[78]"
    })
    void aStateThatIsNotAsItMustBeIsNamed(String key, String value) {
        state.put(key, value);

        assertThat(mismatches(MOUNTS)).anyMatch(m -> m.contains(key.replace("ns/", "")));
    }

    @Test
    void aStateThatCannotBeReadIsAMismatch() {
        for (String key : List.copyOf(state.keySet())) {
            String kept = state.remove(key);

            assertThat(mismatches(MOUNTS)).as(key).isNotEmpty();

            state.put(key, kept);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'/ / ro,','/ / rw,'",
        "'/usr /usr ro,nosuid','/usr /usr ro'",
        "'/etc ro,','/etc rw,'",
        "'/tmp rw,nosuid','/tmp rw'",
        "'/workspace rw,nosuid,nodev','/workspace rw,nosuid'",
        "'/workspace rw,','/workspace ro,'",
        "'noexec - proc','exec - proc'",
        "'proc rw,hidepid=invisible\n9','proc rw\n9'",
        "'/proc/sys ro','/proc/sys rw'",
        "'10 1 0:5','12 1 0:9 / /sys ro,nosuid,nodev - sysfs sysfs rw\n10 1 0:5'",
        "'10 1 0:5','12 1 0:9 / /x ro,nosuid,nodev - cgroup c rw\n10 1 0:5'",
        "'10 1 0:5','12 1 8:1 / /host rw - ext4 /dev/vda rw\n10 1 0:5'"
    })
    void aMountThatIsNotAsItMustBeIsNamed(String good, String bad) {
        String mounts = MOUNTS.replace(good, bad);
        assertThat(mounts).isNotEqualTo(MOUNTS);

        assertThat(mismatches(mounts)).isNotEmpty();
    }

    @Test
    void aMountThatIsMissingIsNamed() {
        String mounts = MOUNTS.replaceAll("(?m)^7 .*\n", "");

        assertThat(mismatches(mounts)).containsExactly("nothing is mounted at /workspace");
    }

    @Test
    void anInterfaceNobodyGaveIsNamed() {
        Attestor lonely =
                new Attestor(
                        host,
                        Optional.empty(),
                        List.of(),
                        MASKED,
                        new Attestor.Expected(Privileges.AGENT, true, true, false, false));
        state.put("ns/net", "net:[2]");
        List<MountInfo> mounts = MountInfo.parse(MOUNTS);

        assertThat(lonely.mismatches(new Attestor.Seen(state, mounts, INTERFACES, ""))).isEmpty();
        assertThat(
                        lonely.mismatches(
                                new Attestor.Seen(
                                        state, mounts, INTERFACES + "  eth0: 0 0 0\n", "")))
                .singleElement()
                .asString()
                .contains("eth0");
        assertThat(lonely.mismatches(new Attestor.Seen(state, mounts, "", "")))
                .containsExactly("the network interfaces cannot be read");
    }

    @Test
    void rootInsideHasExactlyItsCapabilities() {
        Attestor dev =
                new Attestor(
                        host,
                        Optional.of(GIVEN),
                        List.of(),
                        MASKED,
                        new Attestor.Expected(Privileges.CONTAINER_ROOT, true, true, true, false));
        for (String ids : List.of("Uid", "Gid")) {
            state.put(ids, "0 0 0 0");
        }
        for (String set : List.of("CapPrm", "CapEff", "CapBnd")) {
            state.put(set, "00000000800005fb");
        }
        String mounts =
                MOUNTS.replace("/ / ro", "/ / rw")
                        .replace("/usr ro", "/usr rw")
                        .replace("/etc ro", "/etc rw");

        assertThat(
                        dev.mismatches(
                                new Attestor.Seen(state, MountInfo.parse(mounts), INTERFACES, "")))
                .isEmpty();

        state.put("CapBnd", "00000000802005fb"); // CAP_SYS_ADMIN more
        assertThat(
                        dev.mismatches(
                                new Attestor.Seen(state, MountInfo.parse(mounts), INTERFACES, "")))
                .singleElement()
                .asString()
                .contains("CapBnd");
    }

    /// Under gVisor pid 1 sees no namespaces and no flags but `ro`.
    @Test
    void theKernelInsideMustNotBeTheHosts() {
        Attestor gvisor =
                new Attestor(
                        host,
                        Optional.empty(),
                        List.of(new Mount(Path.of("/w"), "/workspace", true)),
                        MASKED,
                        new Attestor.Expected(Privileges.AGENT, true, true, false, true));
        TYPES.forEach(type -> state.remove("ns/" + type));
        state.remove("CapAmb");
        state.put("no_new_privs", "1");
        List<MountInfo> mounts =
                MountInfo.parse(
                        """
                        8 8 0:8 / / rw - 9p none rw
                        9 8 0:9 / /tmp rw - tmpfs none rw
                        10 8 0:9 / /home/agent rw - tmpfs none rw
                        11 8 0:9 / /dev/shm rw - tmpfs none rw
                        12 8 0:9 / /workspace ro - 9p none ro
                        """);

        assertThat(gvisor.mismatches(new Attestor.Seen(state, mounts, INTERFACES, "Linux 4.4.0\n")))
                .isEmpty();
        for (String version : List.of("", HostFacts.kernelVersion())) {
            assertThat(gvisor.mismatches(new Attestor.Seen(state, mounts, INTERFACES, version)))
                    .singleElement()
                    .asString()
                    .contains("kernel");
        }
    }

    /// This process, taken for one of gVisor's, is everything that must not be.
    @Test
    void aProcessOfTheHostIsNoneOfGvisors() {
        Sentry sentry =
                new Sentry(0x7000_0000L, HostFacts.namespaces(), Optional.of(GIVEN), Set.of());
        int self = (int) ProcessHandle.current().pid();

        assertThat(sentry.mismatches(Set.of(self)))
                .anyMatch(m -> m.contains("Uid"))
                .anyMatch(m -> m.contains("Seccomp"))
                .anyMatch(m -> m.contains("host's namespace user"))
                .anyMatch(m -> m.contains("host's namespace net"))
                .anyMatch(m -> m.contains("network namespace"))
                .anyMatch(m -> m.contains("no file server"));
    }

    private List<String> mismatches(String mounts) {
        return attestor.mismatches(
                new Attestor.Seen(state, MountInfo.parse(mounts), INTERFACES, ""));
    }
}
