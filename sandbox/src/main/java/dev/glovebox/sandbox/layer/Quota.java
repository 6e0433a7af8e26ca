package dev.glovebox.sandbox.layer;

import dev.glovebox.sandbox.image.ImageException;
import dev.glovebox.sandbox.image.ImageLimits;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/// What is left of an image's limits while its layers are written one after another. For one
/// thread.
public final class Quota {
    private final ImageLimits limits;
    private long bytes;
    private long entries;

    public Quota(ImageLimits limits) {
        this.limits = limits;
    }

    /// Bytes of files written until now.
    public long bytes() {
        return bytes;
    }

    /// Entries made until now.
    public long entries() {
        return entries;
    }

    /// Counts something that is there already.
    public void add(long moreBytes, long moreEntries) {
        bytes += moreBytes;
        entries += moreEntries;
        if (bytes > limits.unpackedBytes()) {
            throw ImageException.image(
                    "the image is larger than " + limits.unpackedBytes() + " bytes unpacked");
        }
        if (entries > limits.entries()) {
            throw ImageException.image("the image has more than " + limits.entries() + " entries");
        }
    }

    /// Counts one file, directory or link.
    void entry() {
        add(0, 1);
    }

    /// The same content, counted as it is read.
    InputStream counted(InputStream content) {
        return new FilterInputStream(content) {
            @Override
            public int read() throws IOException {
                int value = in.read();
                if (value >= 0) {
                    add(1, 0);
                }
                return value;
            }

            @Override
            public int read(byte[] into, int offset, int length) throws IOException {
                int n = in.read(into, offset, length);
                add(Math.max(n, 0), 0);
                return n;
            }
        };
    }
}
