package dev.glovebox.sandbox.layer;

import dev.glovebox.sandbox.image.Descriptor;
import dev.glovebox.sandbox.image.Digest;
import dev.glovebox.sandbox.image.ImageException;
import dev.glovebox.sandbox.image.ImageException.Band;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;

/// A blob on its way: at most as many bytes as its descriptor says, and at its end exactly those
/// and of that digest. What is read before the end is not yet known to be true.
public final class VerifiedInput extends FilterInputStream {
    private final Descriptor descriptor;
    private final MessageDigest sha256 = Digest.sha256();
    private long count;
    private boolean ended;

    public VerifiedInput(InputStream in, Descriptor descriptor) {
        super(in);
        this.descriptor = descriptor;
    }

    /// Bytes read until now.
    long count() {
        return count;
    }

    @Override
    public int read() {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) {
        if (length == 0) {
            return 0;
        }
        int n = fromSource(into, offset, length);
        if (n < 0) {
            end();
            return -1;
        }
        count += n;
        if (count > descriptor.size()) {
            throw wrong("more than " + descriptor.size() + " bytes");
        }
        sha256.update(into, offset, n);
        return n;
    }

    /// Not as an [IOException], which is what decoders throw for content they cannot read.
    private int fromSource(byte[] into, int offset, int length) {
        try {
            return in.read(into, offset, length);
        } catch (IOException e) {
            throw new ImageException(
                    Band.REGISTRY,
                    "blob " + descriptor.digest() + " broke off: " + e.getMessage(),
                    e);
        }
    }

    @Override
    public long skip(long n) throws IOException {
        return readNBytes((int) Math.min(n, 8192)).length;
    }

    @Override
    public boolean markSupported() {
        return false;
    }

    /// Reads what is left.
    ///
    /// @throws ImageException if it is not what its descriptor says
    public void finish() {
        byte[] rest = new byte[8192];
        int n;
        do {
            n = read(rest, 0, rest.length);
        } while (n >= 0);
    }

    private void end() {
        if (ended) {
            return;
        }
        if (count != descriptor.size()) {
            throw wrong(count + " bytes instead of " + descriptor.size());
        }
        Digest seen = Digest.of(sha256);
        ended = true;
        if (!seen.equals(descriptor.digest())) {
            throw wrong("content of digest " + seen);
        }
    }

    private ImageException wrong(String what) {
        return ImageException.image("blob " + descriptor.digest() + " came with " + what);
    }
}
