package dev.glovebox.sandbox.guest;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// One request on its way in: a head that is the same for all, then strings, then data.
///
/// What would break the framing is refused here as a fault of the caller: a NUL inside a string,
/// text that has no UTF-8, a payload beyond its limit. So no argument of a call can become a
/// violation, for which init would end the sandbox.
final class Frame {
    // Offsets in the head; PROTOCOL.md has the picture.
    private static final int OFFSET = 8;
    private static final int AMOUNT = 16;
    private static final int AMOUNT_ERR = 20;
    private static final int MODE = 24;
    private static final int ROWS = 26;
    private static final int COLUMNS = 28;
    private static final int STRINGS = 30;
    private static final int VARIABLES = 32;
    private static final int FLAGS = 34;
    private static final int NUMBER = 35;

    private final String subject;
    private ByteBuffer bytes;

    /// @param subject the path or program, for the messages of refusals
    Frame(int type, int id, String subject) {
        this.subject = subject;
        this.bytes = ByteBuffer.allocate(128).putInt(type << 24).putInt(id);
        bytes.position(Wire.REQUEST_HEAD);
    }

    Frame flags(int value) {
        bytes.put(FLAGS, (byte) value);
        return this;
    }

    /// A stream or a signal.
    Frame number(int value) {
        bytes.put(NUMBER, (byte) value);
        return this;
    }

    Frame amount(int value) {
        bytes.putInt(AMOUNT, value);
        return this;
    }

    Frame amountErr(int value) {
        bytes.putInt(AMOUNT_ERR, value);
        return this;
    }

    Frame offset(long value) {
        bytes.putLong(OFFSET, value);
        return this;
    }

    Frame mode(int value) {
        bytes.putShort(MODE, (short) value);
        return this;
    }

    Frame size(WindowSize size) {
        bytes.putShort(ROWS, (short) size.rows());
        bytes.putShort(COLUMNS, (short) size.columns());
        return this;
    }

    Frame path(String path) {
        if (!path.startsWith("/")) {
            throw new GuestException("EINVAL", "not an absolute path", path.replace('\0', '?'));
        }
        return string(path);
    }

    /// Adds to the strings; all of them come before any variable.
    Frame string(String text) {
        return text(STRINGS, text);
    }

    Frame variable(String name, String value) {
        return text(VARIABLES, name + "=" + value);
    }

    Frame data(byte[] source, int offset, int length) {
        room(length).put(source, offset, length);
        return this;
    }

    /// The finished bytes, with the length filled in.
    ByteBuffer seal() {
        bytes.putInt(0, bytes.getInt(0) | (bytes.position() - Wire.REQUEST_HEAD));
        return bytes.flip();
    }

    private Frame text(int count, String text) {
        if (text.indexOf('\0') >= 0) {
            throw new GuestException("EINVAL", "nul in a string of", subject.replace('\0', '?'));
        }
        if (bytes.getShort(count) == Wire.MAX_STRINGS) {
            throw new GuestException("E2BIG", "too many strings for", abbreviated());
        }
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            room(encoded.remaining() + 1).put(encoded).put((byte) 0);
        } catch (CharacterCodingException e) {
            throw new GuestException("EINVAL", "no utf-8 for", subject, e);
        }
        bytes.putShort(count, (short) (bytes.getShort(count) + 1));
        return this;
    }

    private ByteBuffer room(int more) {
        int most = Wire.REQUEST_HEAD + Wire.PAYLOAD_MAX;
        int needed = bytes.position() + more;
        if (needed > most) {
            throw new GuestException("E2BIG", "more than a frame holds for", abbreviated());
        }
        if (needed > bytes.capacity()) {
            int larger = Math.min(Math.max(needed, bytes.capacity() * 2), most);
            bytes = ByteBuffer.allocate(larger).put(bytes.flip());
        }
        return bytes;
    }

    private String abbreviated() {
        return subject.length() <= 100 ? subject : subject.substring(0, 100) + "...";
    }
}
