package dev.glovebox.worker.tool;

import dev.glovebox.protocol.Json;
import dev.glovebox.worker.shell.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The answers of the official toolset (`@anthropic-ai/sdk` 1.11.0 on Node 22), recorded call by
/// call, against ours. A line with a `reason` is one where we answer otherwise on purpose.
@Timeout(120)
class OfficialToolsIT {
    @TempDir Path state;

    @Test
    void answersAsTheOfficialToolset() throws IOException {
        try (Sandboxed place = new Sandboxed(state);
                InputStream recorded = getClass().getResourceAsStream("official-1.11.0.json")) {
            SoftAssertions all = new SoftAssertions();
            for (JsonNode call : Json.read(Objects.requireNonNull(recorded), JsonNode.class)) {
                String tool = call.get("tool").stringValue();
                ToolResult ours =
                        place.tools.call(tool, (ObjectNode) call.get("input"), new Cancellation());
                String theirs = call.get("text").stringValue();
                all.assertThat(comparable(tool, ours.text()))
                        .as("%s %s", tool, call.get("input"))
                        .isEqualTo(comparable(tool, theirs));
                all.assertThat(ours.error())
                        .as("%s %s", tool, call.get("input"))
                        .isEqualTo(call.get("error").booleanValue());
            }
            all.assertAll();
        }
    }

    /// Files of one age have no order.
    private static String comparable(String tool, String text) {
        return tool.equals("glob")
                ? String.join("\n", Arrays.stream(text.split("\n", -1)).sorted().toList())
                : text;
    }
}
