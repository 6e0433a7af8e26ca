package dev.glovebox.sandbox.oci;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ObjectNode;

class OciConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final OciSpec SPEC =
            new OciSpec(
                    Path.of("/mnt"),
                    false,
                    Privileges.AGENT,
                    1_879_048_192L,
                    false,
                    Optional.of(Path.of("/run/doors/s1")),
                    List.of(),
                    new OciSpec.Resources(
                            "/glovebox/ab12/s1",
                            268_435_456L,
                            0.5,
                            64,
                            33_554_432L,
                            Map.of(
                                    "RLIMIT_CORE",
                                    1L,
                                    "RLIMIT_NOFILE",
                                    16_384L,
                                    "RLIMIT_FSIZE",
                                    10_737_418_240L),
                            Map.of("kernel.shm_rmid_forced", "1")));

    @Test
    void isTheConfigurationOnRecordAndItsSystemCallsAreTheList() throws IOException {
        ObjectNode config = (ObjectNode) JSON.readTree(OciConfig.write(SPEC));
        JsonNode seccomp = ((ObjectNode) config.get("linux")).remove("seccomp");

        assertThat(config).isEqualTo(JSON.readTree(golden()));
        assertThat(seccomp)
                .isEqualTo(JSON.readTree(JSON.writeValueAsBytes(SeccompRules.forThisMachine())));
    }

    @Test
    void everyCapabilitySetIsThereAndEmpty() {
        JsonNode sets = JSON.readTree(OciConfig.write(SPEC)).get("process").get("capabilities");

        assertThat(sets).hasSize(5).allSatisfy(set -> assertThat(set).isEmpty());
    }

    @Test
    void theCommandDialsDetachesAndNamesEverything() {
        RuntimeCommand command =
                new RuntimeCommand(
                        Path.of("/s/init"),
                        Path.of("/s/1.sock"),
                        Path.of("/usr/bin/crun"),
                        Path.of("/s/runtime"),
                        Path.of("/s/b/log"),
                        Path.of("/s/b"),
                        "s1",
                        true);

        assertThat(String.join(" ", command.words()))
                .isEqualTo(
                        "/s/init --dial /s/1.sock -- /usr/bin/crun --root /s/runtime --log /s/b/log"
                                + " --cgroup-manager=disabled run --detach --bundle /s/b s1");
    }

    private static String golden() throws IOException {
        try (InputStream text = OciConfigTest.class.getResourceAsStream("config.json")) {
            if (text == null) {
                throw new IOException("config.json is not on the test path");
            }
            return new String(text.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
