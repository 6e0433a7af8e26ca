package dev.glovebox.cli.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class DetachKeysTest {
    private final DetachKeys keys = new DetachKeys();

    @Test
    void onlyBothKeysInARowDetach() {
        assertThat(pass("a\u0010b\u0011c")).isEqualTo("a\u0010b\u0011c");
        assertThat(keys.detached()).isFalse();
        assertThat(pass("x\u0010\u0011y")).isEqualTo("x");
        assertThat(keys.detached()).isTrue();
    }

    @Test
    void theKeysMayComeOneByOneAndAHeldKeyIsNotLost() {
        assertThat(pass("\u0010")).isEmpty();
        assertThat(pass("\u0010")).isEqualTo("\u0010");
        assertThat(pass("p")).isEqualTo("\u0010p");
        assertThat(pass("\u0010")).isEmpty();
        assertThat(pass("\u0011")).isEmpty();
        assertThat(keys.detached()).isTrue();
        assertThat(pass("more")).isEmpty();
    }

    private String pass(String typed) {
        byte[] bytes = typed.getBytes(StandardCharsets.UTF_8);
        return new String(keys.pass(bytes, bytes.length), StandardCharsets.UTF_8);
    }
}
