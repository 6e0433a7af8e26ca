package dev.glovebox.sandbox.layer;

import dev.glovebox.sandbox.image.ImageException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarUtils;
import org.jspecify.annotations.Nullable;

/// The tar reader of commons-compress behind a gate at which every header record is looked at
/// before the reader acts on it.
///
/// By itself the reader takes extended headers (`x`, and GNU's `L` and `K`) of any length into
/// memory, follows a chain of them by recursion, does not look at checksums, and has a word for
/// every kind of entry there ever was. Here an extended header has at most 64 KiB, at most three
/// stand before one entry, every checksum is right, and kinds are those an image layer has. So
/// there is one parser, and a limit on what it takes.
final class TarHeaders extends TarArchiveInputStream {
    private static final int RECORD = 512;
    private static final int NAME = 0;
    private static final int NAME_LENGTH = 100;
    private static final int LINK = 157;
    private static final int PREFIX = 345;
    private static final int PREFIX_LENGTH = 155;
    private static final int TYPE = 156;
    private static final int SIZE = 124;
    private static final int SIZE_LENGTH = 12;
    private static final long EXTENDED_BYTES = 64 * 1024;
    private static final int EXTENDED_IN_A_ROW = 3;
    private static final String EXTENDED = "xLK";
    private static final String KINDS = "\0" + "0123456";

    private int extended;
    private boolean ended;

    TarHeaders(InputStream in) {
        super(in, RECORD * 20, RECORD, StandardCharsets.UTF_8.name());
    }

    /// The next entry, null at the end.
    ///
    /// @throws ImageException for what an archive of a layer must not have
    @Nullable TarArchiveEntry next() throws IOException {
        try {
            return getNextEntry();
        } catch (IllegalArgumentException
                | IndexOutOfBoundsException
                | NegativeArraySizeException e) {
            throw ImageException.image("an archive that is not tar: " + e.getMessage());
        }
    }

    @Override
    protected byte @Nullable [] readRecord() throws IOException {
        byte[] record = super.readRecord();
        if (isEOFRecord(record)) {
            if (record == null && !ended) {
                throw ImageException.image("an archive without its end");
            }
            ended = true;
        } else {
            look(record);
        }
        return record;
    }

    @Override
    protected byte @Nullable [] getLongNameData() throws IOException {
        byte[] name = super.getLongNameData();
        if (name != null) {
            text(name, 0, name.length);
        }
        return name;
    }

    /// The reader itself would put `?` for what is not UTF-8, and so give two files one name.
    private static void text(byte[] bytes, int offset, int most) {
        int length = 0;
        while (length < most && bytes[offset + length] != 0) {
            length++;
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, offset, length));
        } catch (CharacterCodingException e) {
            throw ImageException.image("an archive with a name that is not UTF-8");
        }
    }

    private void look(byte[] record) {
        if (!TarUtils.verifyCheckSum(record)) {
            throw ImageException.image("an archive with a header of the wrong checksum");
        }
        text(record, NAME, NAME_LENGTH);
        text(record, LINK, NAME_LENGTH);
        text(record, PREFIX, PREFIX_LENGTH);
        char type = (char) (record[TYPE] & 0xff);
        if (EXTENDED.indexOf(type) < 0) {
            extended = 0;
            if (KINDS.indexOf(type) < 0) {
                throw ImageException.image(
                        "an archive with an entry of type "
                                + (type > ' ' && type < 127 ? "'" + type + "'" : (int) type));
            }
            return;
        }
        long size;
        try {
            size = TarUtils.parseOctalOrBinary(record, SIZE, SIZE_LENGTH);
        } catch (IllegalArgumentException e) {
            throw ImageException.image("an archive with a header without a size");
        }
        if (size < 0 || size > EXTENDED_BYTES) {
            throw ImageException.image(
                    "an archive with an extended header of " + size + " bytes, more than 65536");
        }
        if (++extended > EXTENDED_IN_A_ROW) {
            throw ImageException.image("an archive with a chain of extended headers");
        }
    }
}
