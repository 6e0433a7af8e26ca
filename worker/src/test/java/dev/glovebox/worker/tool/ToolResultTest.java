package dev.glovebox.worker.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import org.junit.jupiter.api.Test;

class ToolResultTest {
    @Test
    void aResultCanAlwaysBeWritten() {
        ToolResult result = ToolResult.error("path \"\ud800\ud83d\ude00\udc00\"");

        assertThat(result.text()).isEqualTo("path \"\uFFFD\ud83d\ude00\uFFFD\"");
        assertThat(Json.writeBytes(result)).isNotEmpty();
    }
}
