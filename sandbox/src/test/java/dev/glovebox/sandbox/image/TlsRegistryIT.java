package dev.glovebox.sandbox.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.layer.CraftedTar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A registry over TLS whose certificate an authority of the operator's own has signed. It has a
/// name, since one on the loopback by its address is spoken to in the clear. Needs root, for
/// owners.
class TlsRegistryIT {
    private static final String NAME = "registry.test";

    @TempDir private static Path shared;
    private static LocalRegistry registry;

    @TempDir private Path directory;

    @BeforeAll
    static void start() throws Exception {
        try (LocalRegistry plain = LocalRegistry.start(shared)) {
            new BuiltImage()
                    .gzip(new CraftedTar().file("over-tls", "yes").end())
                    .push(plain.client(), plain.host() + "/team/tool:1");
        }
        openssl(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
        openssl("req -newkey rsa:2048 -nodes -subj /CN=" + NAME + " -keyout own.key -out own.csr");
        Files.writeString(shared.resolve("names"), "subjectAltName=DNS:" + NAME);
        openssl(
                "x509 -req -in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out own.pem");
        openssl(
                "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout x.key -out x.pem");
        Files.writeString(
                shared.resolve("hosts"), "127.0.0.1 " + NAME + "\n127.0.0.1 other.test\n");
        registry =
                LocalRegistry.startTls(
                        shared, shared.resolve("own.pem"), shared.resolve("own.key"));
    }

    @AfterAll
    static void stop() {
        registry.close();
    }

    @Test
    void anImageIsPulledWhenItsAuthorityIsNamed() throws Exception {
        assertThat(pull(NAME, Optional.of(shared.resolve("ca.pem")))).isEqualTo("0: ");
        try (var layers = Files.list(directory.resolve("images/layers"))) {
            assertThat(layers.toList())
                    .singleElement()
                    .satisfies(
                            layer -> assertThat(layer.resolve("tree/over-tls")).hasContent("yes"));
        }
    }

    @Test
    void nobodyElseVouchesForIt() throws Exception {
        assertThat(pull(NAME, Optional.empty())).startsWith("1: ").contains("PKIX");
        assertThat(pull(NAME, Optional.of(shared.resolve("x.pem"))))
                .startsWith("1: ")
                .contains("PKIX");
        assertThat(pull("other.test", Optional.of(shared.resolve("ca.pem"))))
                .as("a certificate for another name")
                .startsWith("1: ")
                .contains("other.test");
        assertThat(directory.resolve("images/layers")).isEmptyDirectory();
    }

    @Test
    void aFileWithoutACertificateIsAnErrorThatNamesIt() throws Exception {
        Path file = Files.writeString(directory.resolve("ca.pem"), "");

        assertThatThrownBy(() -> RegistryTrust.of(Optional.of(file)))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("PEM");
    }

    /// Exit code and output of a process that finds the names.
    private String pull(String host, Optional<Path> caFile) throws Exception {
        Path output = directory.resolve("output");
        Process pull =
                PullProgram.start(
                        directory.resolve("images"),
                        host + ":" + registry.port() + "/team/tool:1",
                        caFile,
                        ProcessBuilder.Redirect.to(output.toFile()),
                        "-Djdk.net.hosts.file=" + shared.resolve("hosts"));
        assertThat(pull.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return pull.exitValue() + ": " + Files.readString(output);
    }

    private static void openssl(String words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("openssl"));
        command.addAll(List.of(words.split(" ", -1)));
        Process openssl =
                new ProcessBuilder(command)
                        .directory(shared.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(shared.resolve("openssl.log").toFile())
                        .start();
        assertThat(openssl.waitFor()).as(Files.readString(shared.resolve("openssl.log"))).isZero();
    }
}
