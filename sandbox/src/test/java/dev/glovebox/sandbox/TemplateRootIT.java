package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.image.BuiltImage;
import dev.glovebox.sandbox.layer.CraftedTar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Sandboxes of templates, from a reference and a command to a running root. Needs root.
class TemplateRootIT {
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    /// Something that no second run writes too.
    private static final String RANDOM = "od -An -N16 -tx8 /dev/urandom > ";

    @ParameterizedTest
    @EnumSource
    void anImageIsTheRootOfASandbox(RuntimeName runtime) throws Exception {
        Ground ground = GROUNDS.under(runtime);
        Path layout = Files.createDirectories(ground.directory().resolve("layout"));
        BuiltImage.busybox()
                .gzip(new CraftedTar().file("etc/motd", "upper\n").end())
                .config(
                        """
                        {"Env":["FROM_IMAGE=yes","HOME=/evil","LD_PRELOAD=/evil.so"],"User":"0",
                         "Entrypoint":["/evil"],"Cmd":["/evil"],"WorkingDir":"/evil",
                         "Volumes":{"/etc":{}},"Labels":{"run.oci.keep_original_groups":"1"}}\
                        """)
                .writeLayout(layout, "1");
        try (Sandbox sandbox = create(ground, "image", template(image(layout), List.of()))) {
            String seen =
                    sh(
                            sandbox,
                            "cat /etc/motd; id -u; pwd; echo $FROM_IMAGE; echo $HOME; echo pre=$LD_PRELOAD;"
                                    + " echo x > /etc/motd || echo read-only");

            assertThat(seen.lines().filter(line -> !line.contains("can't create")))
                    .containsExactly(
                            "upper", "1000", "/", "yes", "/home/agent", "pre=", "read-only");
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatATemplatePrepares_isThereForEveryLaterSandboxAndReadOnly(RuntimeName runtime)
            throws Exception {
        Ground ground = GROUNDS.under(runtime);
        Path layout = Files.createDirectories(ground.directory().resolve("layout-prepared"));
        BuiltImage.busybox().writeLayout(layout, "1");
        Template template =
                template(
                        image(layout),
                        List.of(
                                "/bin/sh",
                                "-c",
                                "/bin/busybox " + RANDOM + "/usr/local/made; rm /etc/motd"));
        String first;
        try (Sandbox sandbox = create(ground, "first", template)) {
            first = sh(sandbox, "cat /usr/local/made; ls /etc/motd");
            assertThat(first).matches("(?s) [0-9a-f]{16} [0-9a-f]{16}\n.*No such file.*");
            assertThat(sh(sandbox, "echo x > /usr/local/made && echo written"))
                    .doesNotContain("written");
        }
        try (Sandbox sandbox = create(ground, "second", template)) {
            assertThat(sh(sandbox, "cat /usr/local/made; ls /etc/motd")).isEqualTo(first);
        }
    }

    /// A package of Debian, installed by its package manager over this host's programs.
    @Test
    void aPackageThatATemplateInstalls_canBeUsedByTheAgent() throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.CRUN);
        Template template =
                template(
                        new Root.Host(),
                        List.of(
                                "/bin/sh",
                                "-ec",
                                """
                                mkdir -p /tmp/p/DEBIAN /tmp/p/usr/bin
                                printf 'Package: glovebox-hello\\nVersion: 1\\nArchitecture: all\\nMaintainer: t <t@t>\\nDescription: t\\n' > /tmp/p/DEBIAN/control
                                printf '#!/bin/sh\\necho hello from a package\\n' > /tmp/p/usr/bin/glovebox-hello
                                chmod 755 /tmp/p/usr/bin/glovebox-hello
                                dpkg-deb --build --root-owner-group /tmp/p /tmp/hello.deb
                                dpkg -i /tmp/hello.deb
                                """));
        assertThat(Path.of("/usr/bin/glovebox-hello")).doesNotExist();
        try (Sandbox sandbox = create(ground, "package", template)) {
            assertThat(sh(sandbox, "glovebox-hello; id -u"))
                    .isEqualTo("hello from a package\n1000\n");
        }
        try (Sandbox other = create(ground, "other", Template.BASE)) {
            assertThat(sh(other, "glovebox-hello")).contains("not found");
        }
        assertThat(Path.of("/usr/bin/glovebox-hello")).doesNotExist();
    }

    @Test
    void manyThatWantOneTemplateAtOnce_waitForOneRun() throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.CRUN);
        Template template =
                template(new Root.Host(), List.of("/bin/sh", "-c", RANDOM + "/usr/local/once"));
        List<Callable<String>> wishes = new ArrayList<>();
        CyclicBarrier together = new CyclicBarrier(4);
        for (int i = 0; i < 4; i++) {
            String name = "wish" + i;
            wishes.add(() -> {
                together.await();
                try (Sandbox sandbox = create(ground, name, template)) {
                    return sh(sandbox, "cat /usr/local/once");
                }
            });
        }
        List<String> seen = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<String> one : threads.invokeAll(wishes)) {
                seen.add(one.get());
            }
        }
        assertThat(seen.stream().distinct()).hasSize(1);
        assertThat(seen.getFirst()).matches(" [0-9a-f]{16} [0-9a-f]{16}\n");
    }

    /// The control is the same command once it succeeds.
    @Test
    void aCommandThatFails_saysSoAndLeavesNothing() throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.CRUN);
        List<String> before = layers(ground);
        Template failing =
                template(
                        new Root.Host(),
                        List.of(
                                "/bin/sh",
                                "-c",
                                "touch /usr/local/half; echo no such thing; exit 3"));

        assertThatThrownBy(() -> create(ground, "failing", failing))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("no such thing")
                .extracting(e -> ((SandboxException) e).band())
                .isEqualTo(SandboxException.Band.TEMPLATE);
        assertThat(layers(ground)).isEqualTo(before);

        Template fine =
                template(new Root.Host(), List.of("/bin/sh", "-c", "touch /usr/local/whole"));
        try (Sandbox sandbox = create(ground, "fine", fine)) {
            assertThat(sh(sandbox, "ls /usr/local/half /usr/local/whole"))
                    .contains("/usr/local/whole\n")
                    .contains("half': No such file");
        }
        assertThat(layers(ground)).hasSize(before.size() + 1);
    }

    @Test
    void anImageThatCannotBeHad_isToldWithItsName() throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.CRUN);
        Template template = template(new Root.Image("oci:/nonexistent:1"), List.of());

        assertThatThrownBy(() -> create(ground, "none", template))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("template t: oci:/nonexistent:1")
                .extracting(e -> ((SandboxException) e).band())
                .isEqualTo(SandboxException.Band.TEMPLATE);
    }

    private static Root image(Path layout) {
        return new Root.Image("oci:" + layout + ":1");
    }

    private static Template template(Root root, List<String> prepare) {
        return new Template(
                "t",
                root,
                Profile.STRICT,
                Optional.empty(),
                false,
                Limits.DEFAULT,
                Map.of(),
                prepare);
    }

    private static Sandbox create(Ground ground, String name, Template template) {
        SandboxSpec spec = spec(name, template);
        ground.sandboxes().prepare(spec, _ -> {});
        return ground.sandboxes().create(spec);
    }

    private static SandboxSpec spec(String name, Template template) {
        return new SandboxSpec(
                name, template, List.of(), Optional.empty(), Limits.DEFAULT, Map.of());
    }

    private static String sh(Sandbox sandbox, String script) throws Exception {
        return Ground.run(sandbox, "/bin/sh", "-c", "(" + script + ") 2>&1").output();
    }

    private static List<String> layers(Ground ground) throws IOException {
        List<String> found = new ArrayList<>();
        for (String part : List.of("layers", "partial")) {
            Path directory = ground.directory().resolve("images").resolve(part);
            if (Files.isDirectory(directory)) {
                try (Stream<Path> files = Files.list(directory)) {
                    files.sorted().forEach(file -> found.add(part + file.getFileName()));
                }
            }
        }
        return found;
    }
}
