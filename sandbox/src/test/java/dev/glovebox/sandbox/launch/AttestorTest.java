package dev.glovebox.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.oci.Privileges;
import dev.glovebox.sandbox.root.HostTree;
import dev.glovebox.sandbox.root.RootLayers;
import dev.glovebox.sandbox.root.RootPlan;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
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
    private static final Mount WORKSPACE = new Mount(Path.of("/w"), "/workspace", false);
    private static final List<String> MASKED = List.of("/proc/keys", "/proc/scsi");

    private static final List<String> READ_ONLY = List.of("/proc/bus", "/proc/sys");
    private static final long FIRST = 0x7000_0000L;

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
            14 8 0:4 /bus /proc/bus ro - proc proc rw,hidepid=invisible
            12 8 0:9 /null /proc/keys rw,nosuid,noexec - devtmpfs devtmpfs rw
            13 8 0:7 / /proc/scsi ro - tmpfs tmpfs ro
            10 1 0:5 / /dev rw,nosuid,noexec - tmpfs tmpfs rw
            11 10 0:6 / /dev/shm rw,nosuid,nodev,noexec - tmpfs tmpfs rw
            15 10 0:8 / /dev/pts rw,nosuid,noexec - devpts devpts rw
            16 10 0:9 /null /dev/null rw - devtmpfs devtmpfs rw
            17 10 0:9 /zero /dev/zero rw - devtmpfs devtmpfs rw
            18 10 0:9 /full /dev/full rw - devtmpfs devtmpfs rw
            19 10 0:9 /tty /dev/tty rw - devtmpfs devtmpfs rw
            20 10 0:9 /random /dev/random rw - devtmpfs devtmpfs rw
            21 10 0:9 /urandom /dev/urandom rw - devtmpfs devtmpfs rw
            """;

    private static final String INTERFACES =
            """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
                lo:       0       0    0    0    0     0          0         0        0
            """;

    private final Map<String, String> state = new HashMap<>();
    private final Map<String, String> host = new HashMap<>();
    private final Set<String> empty = new HashSet<>(Set.of("/proc/scsi"));
    private final Attestor attestor =
            attestor(Optional.of(GIVEN), List.of(WORKSPACE), Privileges.AGENT, false);

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
        state.put("uid_map", "         0 1879048192      65536");
        state.put("gid_map", "         0 1879048192      65536");
        state.put("oom_score_adj", "500");
        state.put("rlimit/CORE", "1 1");
        state.put("rlimit/NOFILE", "1024 4096");
        state.put("dev/full", "c 1:7");
        state.put("dev/null", "c 1:3");
        state.put("dev/random", "c 1:8");
        state.put("dev/tty", "c 5:0");
        state.put("dev/urandom", "c 1:9");
        state.put("dev/zero", "c 1:5");
        state.put("dev/pts", "d");
        state.put("dev/shm", "d");
        state.put("dev/ptmx", "l");
        state.put("dev/fd", "l");
    }

    private Attestor attestor(
            Optional<String> network, List<Mount> mounts, Privileges who, boolean ownKernel) {
        Optional<RootPlan.Writable> writable =
                who.equals(Privileges.CONTAINER_ROOT)
                        ? Optional.of(new RootPlan.Writable(Optional.empty(), 1))
                        : Optional.empty();
        return new Attestor(
                host,
                network,
                MountTable.of(
                        new RootPlan(true, RootLayers.NONE, writable),
                        mounts,
                        MASKED,
                        READ_ONLY,
                        ownKernel),
                new Attestor.Expected(
                        who,
                        true,
                        FIRST,
                        Map.of("rlimit/CORE", "1 1", "rlimit/NOFILE", "1024 4096"),
                        ownKernel));
    }

    private Attestor.Seen seen(String mounts, String interfaces, String version) {
        return new Attestor.Seen(state, MountInfo.parse(mounts), interfaces, version, empty);
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
        "ns/net,net:[78]",
        "uid_map,0 1879048192 65537",
        "uid_map,0 0 4294967295",
        "uid_map,0 1879048192 65536;70000 0 1",
        "gid_map,0 1879113728 65536",
        "oom_score_adj,0",
        "rlimit/CORE,0 0",
        "rlimit/NOFILE,1024 1048576",
        "dev/null,c 1:1",
        "dev/zero,b 1:5",
        "dev/tty,l",
        "dev/shm,l",
        "dev/ptmx,-"
    })
    void aStateThatIsNotAsItMustBeIsNamed(String key, String value) {
        state.put(key, value);

        assertThat(mismatches(MOUNTS)).anyMatch(m -> m.contains(key.replace("ns/", "")));
    }

    /// A disk of the host, a raw socket to it, and whatever has no plain name or comes after what
    /// pid 1 lists at most.
    @ParameterizedTest
    @CsvSource({"vda,b 254:0", "kvm,c 10:232", "mem,c 1:1", "core,c 1:1", "?,?", "...,?"})
    void aDeviceThatNobodyNeedsIsRefused(String name, String what) {
        state.put("dev/" + name, what);

        assertThat(mismatches(MOUNTS)).singleElement().asString().contains("/dev has " + name);
    }

    @Test
    void aMaskThatIsNotEmptyIsRefused() {
        empty.clear();

        assertThat(mismatches(MOUNTS))
                .containsExactly("mount /proc/scsi is / of tmpfs, must be mask");
    }

    @Test
    void aStateThatCannotBeReadIsAMismatch() {
        state.remove("dev/fd"); // which need not be there
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
        "'10 1 0:5','12 1 8:1 / /host rw - ext4 /dev/vda rw\n10 1 0:5'",
        "'10 1 0:5','12 1 8:1 / /host ro,nosuid,nodev - ext4 /dev/vda rw\n10 1 0:5'",
        "'10 1 0:5','22 1 8:1 / /dev/x rw - devtmpfs devtmpfs rw\n10 1 0:5'",
        "'10 1 0:5','22 1 0:4 /sysrq /proc/x rw - proc proc rw,hidepid=invisible\n10 1 0:5'",
        "'5 1 0:2','23 1 8:1 / /tmp rw,nosuid,nodev - tmpfs tmpfs rw\n5 1 0:2'",
        "' /null /dev/null',' /mem /dev/null'",
        "' /null /proc/keys',' /keys /proc/keys'",
        "'/sys /proc/sys ro','/fs /proc/sys ro'",
        "'/tmp rw,nosuid,nodev - tmpfs','/tmp rw,nosuid,nodev - ext4'",
        "'/dev/pts rw,nosuid,noexec - devpts','/dev/pts rw,nosuid,noexec - tmpfs'",
        "'/dev/shm rw,nosuid,nodev','/dev/shm rw,nosuid'",
        "'/dev rw,nosuid','/dev rw'",
        "'/w /workspace rw,nosuid,nodev,idmapped - ext4','/w /workspace rw,nosuid,nodev - proc'"
    })
    void aMountThatIsNotAsItMustBeIsNamed(String good, String bad) {
        String mounts = MOUNTS.replace(good, bad);
        assertThat(mounts).isNotEqualTo(MOUNTS);

        assertThat(mismatches(mounts)).isNotEmpty();
    }

    /// A host may have a disk of its own below `/usr`; it is shown with the flags of what is above.
    @Test
    void whatTheHostHasMountedBelowWhatIsShownMayBeThere() {
        MountTable table =
                MountTable.of(
                        new RootPlan(true, RootLayers.NONE, Optional.empty()),
                        List.of(WORKSPACE),
                        MASKED,
                        READ_ONLY,
                        false);
        String below = MOUNTS + "24 2 8:2 / /usr/local ro,nosuid,nodev - ext4 /dev/vdb rw\n";

        assertThat(table.mismatches(MountInfo.parse(below), empty, () -> Set.of("/usr/local")))
                .isEmpty();
        for (String bad :
                List.of(
                        below.replace("/usr/local ro,", "/usr/local rw,"),
                        below.replace("/usr/local ro,nosuid", "/usr/local ro"),
                        below.replace("/usr/local", "/usr/other"),
                        below.replace("/usr/local", "/opt/local"))) {
            assertThat(table.mismatches(MountInfo.parse(bad), empty, () -> Set.of("/usr/local")))
                    .hasSize(1);
        }
    }

    @Test
    void aMountThatIsMissingIsNamed() {
        String mounts = MOUNTS.replaceAll("(?m)^7 .*\n", "");

        assertThat(mismatches(mounts)).containsExactly("nothing is mounted at /workspace");
    }

    @Test
    void anInterfaceNobodyGaveIsNamed() {
        Attestor lonely = attestor(Optional.empty(), List.of(WORKSPACE), Privileges.AGENT, false);
        state.put("ns/net", "net:[2]");

        assertThat(lonely.mismatches(seen(MOUNTS, INTERFACES, ""))).isEmpty();
        assertThat(lonely.mismatches(seen(MOUNTS, INTERFACES + "  eth0: 0 0 0\n", "")))
                .singleElement()
                .asString()
                .contains("eth0");
        assertThat(lonely.mismatches(seen(MOUNTS, "", "")))
                .containsExactly("the network interfaces cannot be read");
    }

    @Test
    void rootInsideHasExactlyItsCapabilities() {
        Attestor dev =
                attestor(Optional.of(GIVEN), List.of(WORKSPACE), Privileges.CONTAINER_ROOT, false);
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
        if (HostTree.partsHere().contains("/var/lib/dpkg")) {
            mounts += "24 1 0:12 / /var/lib/dpkg rw,nosuid,nodev - overlay overlay rw\n";
        }

        assertThat(dev.mismatches(seen(mounts, INTERFACES, ""))).isEmpty();

        state.put("CapBnd", "00000000802005fb"); // CAP_SYS_ADMIN more
        assertThat(dev.mismatches(seen(mounts, INTERFACES, "")))
                .singleElement()
                .asString()
                .contains("CapBnd");
    }

    /// Under gVisor pid 1 sees no namespaces and no flags but `ro`, and what its kernel has in
    /// places of its own.
    @Test
    void theKernelInsideMustNotBeTheHosts() {
        Attestor gvisor =
                attestor(
                        Optional.empty(),
                        List.of(new Mount(Path.of("/w"), "/workspace", true)),
                        Privileges.AGENT,
                        true);
        TYPES.forEach(type -> state.remove("ns/" + type));
        state.remove("CapAmb");
        state.put("no_new_privs", "1");
        state.put("dev/fuse", "c 10:229");
        String mounts =
                """
                8 8 0:8 / / rw - 9p none rw
                7 8 0:8 / /sys rw - sysfs none rw
                9 8 0:9 / /tmp rw - tmpfs none rw
                10 8 0:9 / /home/agent rw - tmpfs none rw
                11 8 0:9 / /dev/shm rw - tmpfs none rw
                12 8 0:9 / /workspace ro - 9p none ro
                """;

        assertThat(gvisor.mismatches(seen(mounts, INTERFACES, "Linux 4.4.0\n"))).isEmpty();
        assertThat(
                        gvisor.mismatches(
                                seen(
                                        mounts + "13 8 0:9 / /host rw - 9p none ro\n",
                                        INTERFACES,
                                        "Linux 4.4.0\n")))
                .containsExactly("9p is mounted at /host, where nothing must be");
        for (String version : List.of("", HostFacts.kernelVersion())) {
            assertThat(gvisor.mismatches(seen(mounts, INTERFACES, version)))
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
        return attestor.mismatches(seen(mounts, INTERFACES, ""));
    }
}
