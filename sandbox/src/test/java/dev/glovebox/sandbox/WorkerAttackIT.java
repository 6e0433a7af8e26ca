package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.launch.HostFacts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Attacks by way of the worker's own process: what it has open, what it trusts, what it leaves in
/// places that others can write. Each in a worker process of its own. Needs root.
class WorkerAttackIT {
    private static final long PATIENCE_SECONDS = 120;

    /// What a runtime may silently leave away, as a change of the configuration it was given, in
    /// Python, and what the attestation says of it.
    private static final Map<String, String> PARTS = new LinkedHashMap<>();

    static {
        PARTS.put("del l['seccomp']", "Seccomp is '0'");
        PARTS.put(
                "p['capabilities'] = dict((s, ['CAP_SYS_ADMIN']) for s in p['capabilities'])",
                "CapEff is");
        PARTS.put("p['capabilities']['bounding'] = ['CAP_NET_RAW']", "CapBnd is");
        PARTS.put("p['user'] = {'uid': 0, 'gid': 0}", "Uid is '0 0 0 0'");
        PARTS.put("drop('pid')", "did not start sandbox");
        PARTS.put("drop('network')", "namespace net is");
        PARTS.put("drop('ipc'); l.pop('sysctl', None)", "namespace ipc is");
        PARTS.put("drop('uts'); del c['hostname']", "namespace uts is");
        PARTS.put("drop('cgroup')", "namespace cgroup is");
        PARTS.put("l['readonlyPaths'] = []", "nothing is mounted at /proc/sys");
        PARTS.put("option('/proc', 'hidepid=invisible')", "/proc shows processes of other users");
        PARTS.put("option('/proc', 'nosuid')", "mount /proc is");
        PARTS.put("p['rlimits'] = []", "rlimit/CORE is");
        PARTS.put("p['oomScoreAdj'] = 0", "oom_score_adj is '0'");
        PARTS.put("l['uidMappings'][0]['size'] = 65537", "uid_map is");
        PARTS.put("l['maskedPaths'].remove('/proc/keys')", "nothing is mounted at /proc/keys");
        PARTS.put("mount('/dev/mqueue', 'mqueue')", "mqueue is mounted at /dev/mqueue");
        PARTS.put("mount('/tmp/more', 'tmpfs')", "tmpfs is mounted at /tmp/more");
        PARTS.put(
                "l['devices'] = [{'path': '/dev/kmsg', 'type': 'c', 'major': 1, 'minor': 11}]",
                "/dev has kmsg (c 1:11)");
    }

    private static Path directory;

    @BeforeAll
    static void open() throws IOException {
        directory = Files.createTempDirectory(Path.of("/var/lib"), "glovebox-it-");
    }

    @AfterAll
    static void close() throws IOException {
        dev.glovebox.sandbox.root.BaseRoot.remove(directory);
    }

    /// A34: a sandbox that is less than it must be does not run, whichever part is missing; with
    /// all of them it runs, through the same replaced runtime.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void aSandboxThatLacksAPartDoesNotRun(RuntimeName runtime) throws Exception {
        Path program = HostFacts.program(runtime.program()).orElseThrow();
        Path own = Files.createDirectories(directory.resolve(runtime.program()));
        Path real = own.resolve("real");
        Files.copy(program, real, StandardCopyOption.COPY_ATTRIBUTES);
        Path part = own.resolve("part");
        Path parts = own.resolve("parts");
        List<String> all = new ArrayList<>(List.of("pass"));
        all.addAll(PARTS.keySet());
        Files.write(parts, all);
        Path weakened = own.resolve("weakened");
        Files.writeString(
                weakened,
                """
                #!/usr/bin/python3
                import json, os, sys
                words = sys.argv[1:]
                if '--bundle' in words:
                    file = words[words.index('--bundle') + 1] + '/config.json'
                    c = json.load(open(file)); p = c['process']; l = c['linux']
                    def drop(name): l['namespaces'] = [n for n in l['namespaces'] if n['type'] != name]
                    def option(at, name): [m['options'].remove(name) for m in c['mounts'] if m['destination'] == at]
                    def mount(at, kind): c['mounts'].append({'destination': at, 'type': kind, 'source': kind})
                    exec(open('%s').read())
                    json.dump(c, open(file, 'w'))
                os.execv('%s', ['%s'] + words)
                """
                        .formatted(part, real, runtime.program()));
        Files.setPosixFilePermissions(weakened, PosixFilePermissions.fromString("rwxr-xr-x"));

        List<String> said =
                worker(
                        "mount --bind %s %s".formatted(weakened, program),
                        WeakenedWorker.class,
                        own.resolve("state").toString(),
                        runtime.name(),
                        part.toString(),
                        parts.toString());

        assertThat(said.getFirst()).isEqualTo("pass | ran");
        assertThat(said).hasSize(PARTS.size() + 1);
        int line = 1;
        for (Map.Entry<String, String> expected : PARTS.entrySet()) {
            assertThat(said.get(line++))
                    .startsWith(expected.getKey() + " | ")
                    .contains(expected.getValue());
        }
    }

    /// A14: descriptors that the worker itself was started with, open to directories and files of
    /// the host and not marked to be closed.
    @Test
    void whatAWorkerWasStartedWithDoesNotArriveInside() throws Exception {
        List<String> said =
                worker(
                        "for n in $(seq 50 99); do eval \"exec $n</etc\"; done; exec 49</etc/shadow",
                        DescriptorsInside.class,
                        directory.resolve("descriptors").toString());

        assertThat(said.getFirst()).as("control").matches("worker [5-9]\\d");
        assertThat(said.subList(1, said.size()))
                .isNotEmpty()
                .allMatch(link -> link.matches("(socket:|pipe:|anon_inode:|/dev/null|/proc/).*"));
    }

    /// C29: nothing of the worker lies in a directory where others could have put something first.
    @Test
    void aWorkerWritesNothingIntoPlacesOthersCanWrite() throws Exception {
        Path upper = Files.createDirectories(directory.resolve("upper"));
        StringBuilder watched = new StringBuilder();
        for (String place : List.of("/tmp", "/var/tmp", "/dev/shm")) {
            Path own = Files.createDirectories(upper.resolve(place.substring(1)));
            Path work = Files.createDirectories(directory.resolve("upper-work" + place));
            watched.append(
                    "mount -t overlay -o lowerdir=%1$s,upperdir=%2$s,workdir=%3$s none %1$s; "
                            .formatted(place, own, work));
        }
        List<String> said =
                worker(
                        watched + "touch /tmp/control",
                        DescriptorsInside.class,
                        directory.resolve("elsewhere").toString());

        assertThat(said).as("it ran").hasSizeGreaterThan(2);
        try (var written = Files.walk(upper)) {
            assertThat(
                            written.filter(Files::isRegularFile)
                                    .map(p -> upper.relativize(p).toString()))
                    .filteredOn(name -> !name.startsWith("tmp/hsperfdata_"))
                    .containsExactly("tmp/control");
        }
    }

    /// A22, A39, C27: the name of the host, the directories of a worker, the kernel's command line.
    /// What the kernel tells of a mount's source is the one place left, and named in the documents.
    /// The host of this worker has a name that is in no other word.
    @ParameterizedTest
    @EnumSource
    void nothingInsideTellsTheHostsNameOrItsPaths(RuntimeName runtime) throws Exception {
        String host = "unmistakable-host-" + ProcessHandle.current().pid();
        String boot = Files.readString(Path.of("/proc/cmdline")).strip();
        assertThat(boot).as("it can be told from other words").hasSizeGreaterThan(6);
        Path own = Files.createDirectories(directory.resolve("tales-" + runtime.program()));
        Path patterns =
                Files.write(
                        own.resolve("patterns"),
                        List.of(directory.getFileName().toString(), host, boot));

        List<String> said =
                worker(
                        "hostname " + host,
                        TalesInside.class,
                        own.resolve("state").toString(),
                        runtime.name(),
                        patterns.toString());

        assertThat(said.getFirst()).as("control").isEqualTo("host " + host);
        assertThat(said.subList(1, said.size()))
                .filteredOn(file -> !file.equals("/proc/N/mountinfo"))
                .as("files with one of the words; the control has all of them")
                .containsExactly("/workspace/patterns");
    }

    private static List<String> worker(String before, Class<?> main, String... words)
            throws Exception {
        Path output = Files.createTempFile(directory, "worker-", ".log");
        String java =
                String.join(
                        " ",
                        "exec",
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        absolute(System.getProperty("java.class.path")),
                        main.getName(),
                        String.join(" ", words));
        Process worker =
                new ProcessBuilder("unshare", "-mu", "bash", "-c", before + "; " + java)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        try {
            assertThat(worker.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        } finally {
            worker.destroyForcibly();
        }
        List<String> lines = Files.readAllLines(output);
        assertThat(worker.exitValue()).as("%s", lines).isZero();
        return lines;
    }

    private static String absolute(String classPath) {
        List<String> places = new ArrayList<>();
        for (String place : classPath.split(":", -1)) {
            places.add(Path.of(place).toAbsolutePath().toString());
        }
        return String.join(":", places);
    }
}
