package dev.glovebox.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Profile;
import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Template;
import dev.glovebox.workspace.WorkspaceLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TemplateFileTest {
    @TempDir private Path directory;

    @Test
    void everyPart_isRead() throws IOException {
        Template read =
                template(
                        """
                        name: team-python
                        root:
                          image: registry.example/python@sha256:%s
                        profile: dev
                        runtime: runc
                        writable-root: true
                        limits:
                          memory: 4g
                          cpus: 1.5
                          pids: 1024
                          open-files: 4096
                        environment:
                          PIP_NO_INPUT: 1
                          LANG: C.UTF-8
                        prepare:
                          - sh
                          - -c
                          - touch /usr/local/made
                        """
                                .formatted("a".repeat(64)));

        assertThat(read.name()).isEqualTo("team-python");
        assertThat(read.root())
                .isEqualTo(new Root.Image("registry.example/python@sha256:" + "a".repeat(64)));
        assertThat(read.profile()).isEqualTo(Profile.DEV);
        assertThat(read.runtime()).contains(RuntimeName.RUNC);
        assertThat(read.writableRoot()).isTrue();
        assertThat(read.limits())
                .isEqualTo(
                        Limits.DEFAULT
                                .withMemory("4g")
                                .withCpus(1.5)
                                .withPids(1024)
                                .withOpenFiles(4096));
        assertThat(read.environment())
                .containsOnly(
                        java.util.Map.entry("PIP_NO_INPUT", "1"),
                        java.util.Map.entry("LANG", "C.UTF-8"));
        assertThat(read.prepare()).containsExactly("sh", "-c", "touch /usr/local/made");
    }

    @Test
    void anEmptyTemplate_isTheHostUnderStrictNamedAsItsFile() throws IOException {
        Template read = template("root: host\n");

        assertThat(read).isEqualTo(Template.host("t", Profile.STRICT));
    }

    @Test
    void everythingThatIsWrong_isToldWithItsLine() {
        assertThatThrownBy(() ->
                        template(
                                """
                                profil: dev
                                profile: root
                                root: debian
                                runtime: docker
                                writable-root: maybe
                                limits:
                                  memory: lots
                                  discs: 1g
                                environment:
                                  A-B: 1
                                prepare: apt-get update
                                name: ../x
                                """))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll(
                        "line 1: unknown key profil; did you mean profile?",
                        "line 2: profile: must be strict, dev or nested",
                        "line 3: root: must be host",
                        "line 4: runtime: no runtime docker",
                        "line 5: writable-root",
                        "line 7: limits.memory",
                        "line 8: unknown key limits.discs",
                        "line 10: environment.A-B: is no name of a variable",
                        "line 11: unknown key prepare",
                        "line 12: name");
    }

    @Test
    void templatesAreFoundByNameByFileAndAmongTheBuiltIn() throws IOException {
        Files.writeString(directory.resolve("mine.yaml"), "profile: dev\n");
        TemplateDirectory templates = new TemplateDirectory(directory);

        assertThat(templates.names()).containsExactly("base", "dev", "mine");
        assertThat(templates.find("base").template()).isEqualTo(Template.BASE);
        assertThat(templates.find("mine").template().profile()).isEqualTo(Profile.DEV);
        assertThat(templates.find(directory.resolve("mine.yaml").toString()).template().name())
                .isEqualTo("mine");
        assertThatThrownBy(() -> templates.find("theirs"))
                .hasMessageContaining("no template theirs; there are: base, dev, mine");
        assertThat(new TemplateDirectory(directory.resolve("none")).names())
                .containsExactly("base", "dev");
    }

    @Test
    void aWorkerTakesATemplateOfItsOwnDirectory_andSaysItsOwnLimitsOverIt() throws IOException {
        Files.createDirectories(directory.resolve("templates"));
        Files.writeString(
                directory.resolve("templates/mine.yaml"),
                "profile: dev\nlimits:\n  memory: 4g\n  pids: 99\n");
        WorkerSettings read =
                WorkerSettings.read(
                        Files.writeString(
                                directory.resolve("worker.yaml"),
                                """
                                templates: templates
                                template: mine
                                limits:
                                  memory: 1g
                                registries:
                                  auth-file: auth.json
                                  plain: [host:5000]
                                """));

        assertThat(read.place().template().profile()).isEqualTo(Profile.DEV);
        assertThat(read.place().limits().memoryBytes()).isEqualTo(1L << 30);
        assertThat(read.place().limits().pids()).isEqualTo(99);
        assertThat(read.registries().authFile()).contains(directory.resolve("auth.json"));
        assertThat(read.registries().plainRegistries()).containsExactly("host:5000");
    }

    @Test
    void limitsOfSandboxAndWorkspaceArrive() throws IOException {
        TemplateFile read =
                TemplateFile.read(
                        Files.writeString(
                                directory.resolve("t.yaml"),
                                """
                                limits:
                                  time: 2h
                                  disk-rate: 50m
                                  disk: 1g
                                  files: 5000
                                """));

        assertThat(read.template().limits())
                .isEqualTo(Limits.DEFAULT.withTime(Duration.ofHours(2)).withDiskRate("50m"));
        assertThat(read.disk()).contains(new WorkspaceLimits(1L << 30, 5000));
        assertThat(new TemplateDirectory(directory).find("base").disk())
                .contains(WorkspaceLimits.DEFAULT);
        Path none = Files.writeString(directory.resolve("n.yaml"), "limits:\n  disk: none\n");
        assertThat(TemplateFile.read(none).disk()).isEmpty();
    }

    private Template template(String yaml) throws IOException {
        return TemplateFile.read(Files.writeString(directory.resolve("t.yaml"), yaml)).template();
    }
}
