package dev.glovebox.sandbox.guest;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// One frame on its way in, built field by field in the order of the protocol.
///
/// What would break the framing is refused here as a value of the caller: a NUL inside a string,
/// text that has no UTF-8, a payload beyond its limit. So no argument of a call can become a
/// violation, for which init would end the sandbox.
final class Frame {
    private final String subject;
    private ByteBuffer bytes;

    /// @param subject the path or program, for the messages of refusals
    Frame(int type, int id, String subject) {
        this.subject = subject;
        this.bytes = ByteBuffer.allocate(128).putInt(type << 24).putInt(id);
    }

    Frame u8(int value) {
        room(1).put((byte) value);
        return this;
    }

    Frame u16(int value) {
        room(2).putShort((short) value);
        return this;
    }

    Frame u32(int value) {
        room(4).putInt(value);
        return this;
    }

    Frame u64(long value) {
        room(8).putLong(value);
        return this;
    }

    Frame bytes(byte[] source, int offset, int length) {
        room(length).put(source, offset, length);
        return this;
    }

    Frame string(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new GuestException("EINVAL", "nul in a string of", subject.replace('\0', '?'));
        }
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            room(encoded.remaining() + 1).put(encoded).put((byte) 0);
        } catch (CharacterCodingException e) {
            throw new GuestException("EINVAL", "no utf-8 for", subject, e);
        }
        return this;
    }

    Frame path(String path) {
        if (!path.startsWith("/")) {
            throw new GuestException("EINVAL", "not an absolute path", path);
        }
        return string(path);
    }

    /// The finished bytes, with the length filled in.
    ByteBuffer seal() {
        bytes.putInt(0, bytes.getInt(0) | (bytes.position() - Wire.HEADER));
        return bytes.flip();
    }

    private ByteBuffer room(int more) {
        int needed = bytes.position() + more;
        if (needed > Wire.HEADER + Wire.PAYLOAD_MAX) {
            throw new GuestException("E2BIG", "more than a frame holds for", abbreviated());
        }
        if (needed > bytes.capacity()) {
            int larger =
                    Math.min(
                            Math.max(needed, bytes.capacity() * 2), Wire.HEADER + Wire.PAYLOAD_MAX);
            bytes = ByteBuffer.allocate(larger).put(bytes.flip());
        }
        return bytes;
    }

    private String abbreviated() {
        return subject.length() <= 100 ? subject : subject.substring(0, 100) + "...";
    }
}
