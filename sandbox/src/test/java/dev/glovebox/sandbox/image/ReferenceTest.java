package dev.glovebox.sandbox.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.image.ImageException.Band;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReferenceTest {
    private static final String DIGEST = "sha256:" + "0a".repeat(32);

    @Test
    void references_areReadAsTheyAreWritten() {
        assertThat(Reference.parse("registry.example/team/tool:1.2"))
                .isEqualTo(
                        new Reference.Remote(
                                "registry.example", "team/tool", "1.2", Optional.empty()));
        assertThat(Reference.parse("localhost:5000/a"))
                .isEqualTo(new Reference.Remote("localhost:5000", "a", "latest", Optional.empty()));
        assertThat(Reference.parse("[::1]:5000/a:b@" + DIGEST))
                .isEqualTo(
                        new Reference.Remote(
                                "[::1]:5000", "a", "b", Optional.of(Digest.parse(DIGEST))));
        assertThat(Reference.parse("oci:/srv/images:v1"))
                .isEqualTo(new Reference.Layout(Path.of("/srv/images"), "v1", Optional.empty()));
    }

    /// A first part that names no host is never taken for one of some registry.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "debian",
                "debian:12",
                "library/debian:12",
                "registry.example",
                "registry.example/",
                "registry.example/UPPER",
                "registry.example/a/../b",
                "registry.example//a",
                "registry.example/a:",
                "registry.example/a@sha256:12",
                "registry.example/a@sha512:00",
                "registry.example/a?x=y",
                "registry.example/a b",
                "user@registry.example/a",
                "http://registry.example/a",
                "oci:relative:1",
                "oci:"
            })
    void whatIsNoReference_isTheCallersFault(String text) {
        assertThatThrownBy(() -> Reference.parse(text))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("write registry.example/name:tag")
                .extracting(e -> ((ImageException) e).band())
                .isEqualTo(Band.CALLER);
    }

    @Test
    void onlyLoopbackAndNamedRegistries_areSpokenToInTheClear() {
        assertThat(origin("127.0.0.1:5000").plain()).isTrue();
        assertThat(origin("localhost:5000").plain()).isTrue();
        assertThat(origin("[::1]:5000").plain()).isTrue();
        assertThat(origin("10.0.0.5:5000").plain()).isTrue();
        assertThat(origin("10.0.0.6:5000").plain()).isFalse();
        assertThat(origin("registry.example").plain()).isFalse();
        assertThat(origin("docker.io").base())
                .isEqualTo(URI.create("https://registry-1.docker.io"));
    }

    /// The control is the redirect over TLS, which is followed.
    @Test
    void aRegistryOverTls_leadsNeitherToPlainHttpNorToThisMachine() {
        RegistryOrigin tls = origin("registry.example");
        URI from = URI.create("https://registry.example/v2/a/blobs/x");

        assertThat(tls.named(from, "https://cdn.example/x"))
                .isEqualTo(URI.create("https://cdn.example/x"));
        assertThat(tls.named(from, "/other").getHost()).isEqualTo("registry.example");
        for (String place :
                new String[] {
                    "http://cdn.example/x",
                    "http://registry.example/x",
                    "https://127.0.0.1/x",
                    "https://localhost/x",
                    "https://[::1]/x",
                    "https://169.254.169.254/latest/meta-data",
                    "https://0.0.0.0/x",
                    "https://user:pw@cdn.example/x",
                    "file:///etc/passwd",
                    "jar:file:/x",
                    "not an address"
                }) {
            assertThatThrownBy(() -> tls.named(from, place))
                    .as(place)
                    .isInstanceOf(ImageException.class);
        }
    }

    @Test
    void defaultLimits_areThose() {
        assertThat(ImageLimits.DEFAULT)
                .isEqualTo(
                        new ImageLimits(
                                4 << 20,
                                127,
                                8L << 30,
                                32L << 30,
                                1_000_000,
                                100,
                                200,
                                Duration.ofMinutes(30)));
    }

    private static RegistryOrigin origin(String host) {
        return RegistryOrigin.of(host, Set.of("10.0.0.5:5000"));
    }
}
