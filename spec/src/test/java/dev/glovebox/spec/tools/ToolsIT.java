package dev.glovebox.spec.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.Trees;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.Profile;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.spec.lab.SourceTree;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The tools of an agent's trade work in the profiles that say so, and not in the others; from
/// `tools.json`, of which `docs/tools.md` is made.
///
/// Run with `-Dglovebox.write.docs=true` to write that document anew.
class ToolsIT {
    private static final Duration DEADLINE = Duration.ofMinutes(3);
    private static final Path DOCUMENT = Path.of("docs/tools.md");

    private static Path folder;
    private static Path repository;
    private static Sandboxes sandboxes;

    @BeforeAll
    static void open() throws IOException {
        folder = Files.createTempDirectory("glovebox-tools-");
        repository = copyOfRepository(folder.resolve("repository"));
        sandboxes = Sandboxes.open(SandboxConfig.in(folder.resolve("state")));
    }

    @AfterAll
    static void close() {
        sandboxes.close();
        Trees.remove(folder);
    }

    @TestFactory
    List<DynamicTest> tools_workWhereTheTableSaysSo() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Tool tool : Tool.all()) {
            for (Profile profile : Tool.TRIED) {
                tests.add(
                        DynamicTest.dynamicTest(
                                tool.name() + " in " + profile, () -> check(tool, profile)));
            }
        }
        return tests;
    }

    @Test
    void document_isCurrent() throws IOException {
        Path file = SourceTree.root().resolve(DOCUMENT);
        if (Boolean.getBoolean("glovebox.write.docs")) {
            Files.writeString(file, document());
        }
        assertThat(file).content().isEqualTo(document());
    }

    private static void check(Tool tool, Profile profile) throws Exception {
        Path workspace = Files.createTempDirectory(folder, "workspace-");
        Files.setAttribute(workspace, "unix:uid", 1000);
        Files.setAttribute(workspace, "unix:gid", 1000);
        List<Mount> mounts =
                List.of(
                        new Mount(workspace, "/workspace", false),
                        new Mount(repository, "/repository", true));
        SandboxSpec spec =
                new SandboxSpec(
                        workspace.getFileName().toString(),
                        Template.host("tools", profile),
                        mounts,
                        Optional.empty(),
                        Limits.DEFAULT,
                        Map.of());
        try (Sandbox sandbox = sandboxes.create(spec)) {
            String output = run(sandbox, tool.script());
            String last = output.strip().lines().reduce("", (_, line) -> line);
            if (tool.profiles().contains(profile)) {
                assertThat(last).as(output).isEqualTo("works");
            } else {
                assertThat(last).as(output).isNotEqualTo("works");
            }
        }
    }

    private static String run(Sandbox sandbox, String script) throws Exception {
        Map<String, String> environment = new TreeMap<>(sandbox.environment());
        environment.put("TERM", "xterm");
        List<String> command = List.of("/bin/bash", "-c", script);
        try (GuestProcess process =
                sandbox.guest()
                        .start(
                                new ProcessRequest(
                                        command,
                                        environment,
                                        "/workspace",
                                        Optional.empty(),
                                        true))) {
            process.stdin().close();
            String output = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
            process.waitFor(DEADLINE);
            return output;
        }
    }

    /// The local Maven repository of whoever builds this, readable for everybody; files are links
    /// to the same files where the file system allows it.
    private static Path copyOfRepository(Path to) throws IOException {
        Path from = Path.of(System.getProperty("user.home"), ".m2", "repository");
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path copy = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                    Files.setPosixFilePermissions(
                            copy, PosixFilePermissions.fromString("rwxr-xr-x"));
                } else {
                    link(file, copy);
                }
            }
        }
        return to;
    }

    private static void link(Path file, Path copy) throws IOException {
        try {
            Files.createLink(copy, file);
        } catch (FileSystemException | UnsupportedOperationException e) {
            Files.copy(file, copy);
        }
    }

    private static String document() {
        List<String> lines = new ArrayList<>();
        lines.add("# What works inside");
        lines.add("");
        lines.add(
                "Written by `ToolsIT`, which runs each line in a fresh sandbox over the host's own programs, under the first runtime that"
                        + " works, without any network, with the default limits, and fails where this table is wrong in either direction."
                        + " The scripts are in `spec/src/test/resources/dev/glovebox/spec/tools/tools.json`.");
        lines.add("");
        List<String> profiles =
                Tool.TRIED.stream()
                        .map(p -> "`" + p.name().toLowerCase(Locale.ROOT) + "`")
                        .toList();
        lines.add("| | " + String.join(" | ", profiles) + " |");
        lines.add("|---|" + "---|".repeat(profiles.size()));
        for (Tool tool : Tool.all()) {
            lines.add(
                    Tool.TRIED.stream()
                            .map(p -> tool.profiles().contains(p) ? "works" : "no")
                            .collect(Collectors.joining(" | ", "| " + tool.name() + " | ", " |")));
        }
        return String.join("\n", lines) + "\n";
    }
}
