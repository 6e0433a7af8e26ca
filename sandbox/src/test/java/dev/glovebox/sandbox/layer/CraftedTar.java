package dev.glovebox.sandbox.layer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;

/// Writes tar archives header by header, so that every field can be a lie.
public final class CraftedTar {
    private static final int RECORD = 512;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /// One header with the fields that archives are forged in; the rest is as `tar(1)` writes it.
    public static final class Header {
        private final byte[] record = new byte[RECORD];
        private boolean checksum = true;

        public Header(String name, char type) {
            text(0, 100, name);
            octal(100, 8, type == '5' ? 0755 : 0644);
            octal(108, 8, 0);
            octal(116, 8, 0);
            octal(124, 12, 0);
            octal(136, 12, 1_700_000_000L);
            record[156] = (byte) type;
            text(257, 6, "ustar");
            text(263, 2, "00");
        }

        public Header size(long size) {
            octal(124, 12, size);
            return this;
        }

        public Header mode(int mode) {
            octal(100, 8, mode);
            return this;
        }

        public Header owner(long uid, long gid) {
            octal(108, 8, uid);
            octal(116, 8, gid);
            return this;
        }

        public Header link(String target) {
            text(157, 100, target);
            return this;
        }

        public Header device(int major, int minor) {
            octal(329, 8, major);
            octal(337, 8, minor);
            return this;
        }

        public Header prefix(String prefix) {
            text(345, 155, prefix);
            return this;
        }

        public Header bytes(int offset, byte[] content) {
            System.arraycopy(content, 0, record, offset, content.length);
            return this;
        }

        public Header withoutChecksum() {
            checksum = false;
            return this;
        }

        private void text(int offset, int length, String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            Arrays.fill(record, offset, offset + length, (byte) 0);
            System.arraycopy(bytes, 0, record, offset, Math.min(length, bytes.length));
        }

        private void octal(int offset, int length, long value) {
            text(offset, length, String.format(Locale.ROOT, "%0" + (length - 1) + "o", value));
        }

        private byte[] finished() {
            Arrays.fill(record, 148, 156, (byte) ' ');
            int sum = 0;
            for (byte b : record) {
                sum += b & 0xff;
            }
            octal(148, 8, checksum ? sum : sum + 1);
            return record;
        }
    }

    public CraftedTar header(Header header) {
        out.writeBytes(header.finished());
        return this;
    }

    /// Content after a header, filled up to a whole record.
    public CraftedTar content(byte[] content) {
        out.writeBytes(content);
        out.writeBytes(new byte[(RECORD - content.length % RECORD) % RECORD]);
        return this;
    }

    public CraftedTar file(String name, String content) {
        return file(new Header(name, '0'), content);
    }

    public CraftedTar file(Header header, String content) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        return header(header.size(bytes.length)).content(bytes);
    }

    public CraftedTar directory(String name) {
        return header(new Header(name, '5'));
    }

    public CraftedTar symbolicLink(String name, String target) {
        return header(new Header(name, '2').link(target));
    }

    public CraftedTar hardLink(String name, String target) {
        return header(new Header(name, '1').link(target));
    }

    /// A PAX extended header for the next entry.
    public CraftedTar pax(String... keysAndValues) {
        return extended('x', pairs(keysAndValues));
    }

    /// An extended header of a type of its own.
    public CraftedTar extended(char type, byte[] content) {
        return header(new Header("././@Extended", type).size(content.length)).content(content);
    }

    public byte[] end() {
        out.writeBytes(new byte[2 * RECORD]);
        return out.toByteArray();
    }

    public byte[] withoutEnd() {
        return out.toByteArray();
    }

    static byte[] pairs(String... keysAndValues) {
        ByteArrayOutputStream records = new ByteArrayOutputStream();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            byte[] pair =
                    (" " + keysAndValues[i] + "=" + keysAndValues[i + 1] + "\n")
                            .getBytes(StandardCharsets.UTF_8);
            int length = pair.length + 1;
            while (Integer.toString(length).length() + pair.length != length) {
                length++;
            }
            records.writeBytes(Integer.toString(length).getBytes(StandardCharsets.UTF_8));
            records.writeBytes(pair);
        }
        return records.toByteArray();
    }
}
