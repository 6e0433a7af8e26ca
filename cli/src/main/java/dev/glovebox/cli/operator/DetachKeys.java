package dev.glovebox.cli.operator;

import java.io.ByteArrayOutputStream;

/// Looks for ctrl-p ctrl-q in what is typed. A ctrl-p is held back until the next key shows what it
/// was.
final class DetachKeys {
    private static final byte CTRL_P = 0x10;
    private static final byte CTRL_Q = 0x11;

    private boolean held;
    private boolean detached;

    /// Whether both keys have come.
    boolean detached() {
        return detached;
    }

    /// What of the bytes is to be passed on; nothing after the two keys.
    byte[] pass(byte[] typed, int count) {
        ByteArrayOutputStream passed = new ByteArrayOutputStream(count + 1);
        for (int i = 0; i < count && !detached; i++) {
            byte key = typed[i];
            if (held && key == CTRL_Q) {
                detached = true;
            } else {
                if (held) {
                    passed.write(CTRL_P);
                }
                held = key == CTRL_P;
                if (!held) {
                    passed.write(key);
                }
            }
        }
        return passed.toByteArray();
    }
}
