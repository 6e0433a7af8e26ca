package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.root.RootLayers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Roots made of layers, friendly and hostile. Needs root.
class LayersIT {
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    private static Template image(Profile profile, boolean writable) {
        return new Template(
                "image",
                new Root.Image("example.org/x:1"),
                profile,
                Optional.empty(),
                writable,
                Limits.DEFAULT,
                Map.of(),
                List.of());
    }

    /// A layer with one static program, under the names the tests use.
    private static Path layer(Ground ground, String name) throws IOException {
        Path layer = Files.createDirectories(ground.directory().resolve("layers").resolve(name));
        Path programs = Files.createDirectories(layer.resolve("bin"));
        Path busybox = Path.of("/bin/busybox");
        for (String tool : List.of("sh", "cat", "ls", "id", "stat", "echo", "mkdir", "touch")) {
            if (!Files.exists(programs.resolve(tool))) {
                Files.copy(busybox, programs.resolve(tool));
            }
        }
        return layer;
    }

    @ParameterizedTest
    @EnumSource
    void anImageIsTheRootAndTheAgentIsKnownThere(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path layer = layer(ground, "plain");
        Path etc = Files.createDirectories(layer.resolve("etc"));
        Files.writeString(
                etc.resolve("passwd"), "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:/bin/sh\n");
        Files.writeString(etc.resolve("mark"), "of the image");
        Path top = Files.createDirectories(ground.directory().resolve("layers/top/srv"));
        Files.writeString(top.resolve("top"), "top");
        RootLayers layers =
                new RootLayers(List.of(top.getParent(), layer), Map.of("FROM_IMAGE", "yes"));
        try (Sandbox sandbox =
                ground.sandbox("image", image(Profile.STRICT, false), layers, Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.run(
                            sandbox,
                            "/bin/sh",
                            "-c",
                            "cat /etc/mark; echo; cat /srv/top; echo; echo $FROM_IMAGE; cat /etc/passwd;"
                                    + " (echo x > /etc/x) 2>/dev/null || echo read-only;"
                                    + " echo w > /workspace/w && cat /workspace/w; stat -c %u /bin/sh");

            assertThat(result.output().lines())
                    .containsExactly(
                            "of the image",
                            "top",
                            "yes",
                            "root:x:0:0::/root:/bin/sh",
                            "web:x:33:33::/:/bin/sh",
                            "agent:x:1000:1000:agent:/home/agent:/bin/sh",
                            "read-only",
                            "w",
                            "0");
        }
    }

    /// A15 to A17, CVE-2026-41579, CVE-2026-47766: links where something is mounted, all of which
    /// lead to a directory of the host that must stay as it is.
    @ParameterizedTest
    @EnumSource
    void linksPlantedAtMountPointsLeadNowhere(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path outside = ground.openDirectory("outside");
        List<String> planted =
                List.of(
                        "dev",
                        "proc",
                        "sys",
                        "tmp",
                        "etc",
                        "workspace",
                        "home",
                        "run",
                        ".glovebox");
        for (boolean writable : new boolean[] {false, true}) {
            for (String name : planted) {
                Path layer = layer(ground, "hostile" + name + writable);
                Files.deleteIfExists(layer.resolve(name));
                Files.createSymbolicLink(layer.resolve(name), outside);
                Files.createFile(layer.resolve(name).resolve("control"));
                assertThat(outside.resolve("control")).as("control: it leads there").exists();
                Files.delete(outside.resolve("control"));
                RootLayers layers = new RootLayers(List.of(layer), Map.of());
                try (Sandbox sandbox =
                        ground.sandbox(
                                "hostile",
                                image(Profile.STRICT, writable),
                                layers,
                                Limits.DEFAULT)) {
                    String script = "(echo x > /" + name + "/inside) 2>/dev/null; echo ok";
                    assertThat(Ground.run(sandbox, "/bin/sh", "-c", script).output())
                            .as(name)
                            .isEqualTo("ok\n");
                }
            }
        }
        assertThat(outside).isEmptyDirectory();
        assertThat(Files.getAttribute(outside, "unix:uid")).isEqualTo(0);
    }

    /// The control of the above: the bare runtime on a root with such a link makes devices and
    /// links in the directory of the host it leads to. That is a fault of the versions of Debian
    /// 12; where it is mended, the runtime does the same in the root, or refuses it.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void aBareRuntimeFollowsALinkPlantedAtDev(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path outside = ground.openDirectory("outside-of-bare");
        Path root = layer(ground, "bare");
        Files.createSymbolicLink(root.resolve("dev"), outside);

        String said = bare(runtime, root);

        if (mended(runtime)) {
            assertThat(outside).as(said).isEmptyDirectory();
        } else {
            assertThat(outside.resolve("ptmx")).as(said).isSymbolicLink();
        }
    }

    /// Runs `/bin/sh` in a root by the runtime's own example configuration, without mounts at or
    /// below `/dev`, as root of the host.
    private static String bare(RuntimeName runtime, Path root) throws Exception {
        Path bundle = Files.createDirectory(root.resolveSibling("bundle"));
        String script =
                """
                umount /sys/fs/cgroup/unified 2>/dev/null
                cd %1$s && %2$s spec && python3 - <<'END'
                import json
                c = json.load(open('config.json'))
                c['process'].update(terminal=False, args=['/bin/sh', '-c', 'echo ran'])
                c['root'].update(path='%3$s', readonly=False)
                c['mounts'] = [m for m in c['mounts'] if not m['destination'].startswith('/dev')]
                json.dump(c, open('config.json', 'w'))
                END
                %2$s --root %1$s/state run glovebox-it-%4$d < <(:)
                """
                        .formatted(bundle, runtime.program(), root, ProcessHandle.current().pid());
        return Ground.host("unshare", "-m", "bash", "-c", script);
    }

    private static boolean mended(RuntimeName runtime) throws Exception {
        String said = Ground.host(runtime.program(), "--version");
        Matcher version = Pattern.compile("version (\\d+)\\.(\\d+)(?:\\.(\\d+))?").matcher(said);
        assertThat(version.find()).as(said).isTrue();
        int major = Integer.parseInt(version.group(1));
        int minor = Integer.parseInt(version.group(2));
        String patch = version.group(3);
        int last = patch == null ? 0 : Integer.parseInt(patch);
        return major > 1
                || (runtime == RuntimeName.CRUN
                        ? minor >= 28
                        : minor > 4 || (minor == 4 && last >= 3) || (minor == 3 && last >= 6));
    }

    /// A layer that is itself a link, and one that is not there.
    @ParameterizedTest
    @EnumSource
    void aLayerThatIsNoDirectoryIsRefused(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path link = ground.directory().resolve("link-" + runtime.program());
        Files.createSymbolicLink(link, Path.of("/etc"));
        for (Path bad : List.of(link, Path.of("/nonexistent"))) {
            RootLayers layers = new RootLayers(List.of(bad), Map.of());
            assertThatThrownBy(() ->
                            ground.sandbox(
                                    "bad", image(Profile.STRICT, false), layers, Limits.DEFAULT))
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("a layer must be a directory");
        }
    }

    /// What is prepared once is there in every later sandbox, deletions too, and nothing else is.
    @ParameterizedTest
    @EnumSource
    void aPreparedLayerIsSeenByLaterSandboxesOnly(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path upper = ground.directory().resolve("prepared-" + runtime.program());
        Template template =
                new Template(
                        "prepared",
                        new Root.Host(),
                        Profile.STRICT,
                        Optional.of(runtime),
                        false,
                        Limits.DEFAULT,
                        Map.of(),
                        List.of(
                                "/bin/bash",
                                "-c",
                                "echo made > /usr/bin/made && rm /usr/bin/true && echo s > /srv/s"
                                        + " && rm -r /usr/share/doc/tar && mkdir /usr/share/doc/tar"
                                        + " && echo c > /etc/c && echo t > /tmp/t"));

        prepare(ground, template, upper);

        assertThat(Files.getAttribute(upper.resolve("usr/bin/made"), "unix:uid")).isEqualTo(0);
        RootLayers layers = new RootLayers(List.of(upper), Map.of());
        try (Sandbox sandbox = ground.sandbox("later", template, layers, Limits.DEFAULT)) {
            assertThat(
                            Ground.shell(
                                            sandbox,
                                            "cat /usr/bin/made /srv/s /etc/c; test -e /usr/bin/true || echo gone;"
                                                    + " echo /usr/share/doc/tar/*; echo /tmp/*;"
                                                    + " (echo x > /usr/bin/made) 2>/dev/null || echo read-only")
                                    .output()
                                    .lines())
                    .containsExactly(
                            "made",
                            "s",
                            "c",
                            "gone",
                            "/usr/share/doc/tar/*",
                            "/tmp/*",
                            "read-only");
        }
        assertThat(Path.of("/usr/bin/true")).exists();
    }

    private static void prepare(Ground ground, Template template, Path upper) {
        SandboxSpec spec =
                new SandboxSpec(
                        "prepare", template, List.of(), Optional.empty(), Limits.DEFAULT, Map.of());
        ground.sandboxes().prepare(spec, RootLayers.NONE, upper, _ -> {});
    }
}
