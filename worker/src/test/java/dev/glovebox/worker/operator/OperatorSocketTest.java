package dev.glovebox.worker.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class OperatorSocketTest {
    @Test
    void liesInTheDataDirectory() {
        assertThat(OperatorSocket.in(Path.of("/var/lib/glovebox")))
                .isEqualTo(Path.of("/var/lib/glovebox/operator/socket"));
        assertThat(OperatorSocket.in(Path.of("/a/../b"))).isEqualTo(Path.of("/b/operator/socket"));
    }

    @Test
    void aPathTooLongForASocket_getsAShortOneOfItsOwn() {
        Path one = OperatorSocket.in(Path.of("/" + "x".repeat(120)));
        Path other = OperatorSocket.in(Path.of("/" + "y".repeat(120)));
        assertThat(one.toString()).startsWith("/run/glovebox/operator-").hasSizeLessThan(108);
        assertThat(one).isNotEqualTo(other);
        assertThat(OperatorSocket.in(Path.of("/" + "x".repeat(90))).toString())
                .hasSize(OperatorSocket.LONGEST);
    }
}
