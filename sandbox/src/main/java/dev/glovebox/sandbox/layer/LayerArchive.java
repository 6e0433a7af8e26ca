package dev.glovebox.sandbox.layer;

import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import dev.glovebox.linux.ConfinedTree;
import dev.glovebox.sandbox.image.Descriptor;
import dev.glovebox.sandbox.image.Digest;
import dev.glovebox.sandbox.image.ImageException;
import dev.glovebox.sandbox.image.ImageLimits;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/// One layer on its way from a blob to a directory: verified, unpacked, verified again.
///
/// ```
/// blob -> VerifiedInput (size, digest) -> gzip, zstd or as it is -> diff_id, ratio -> extractor
/// ```
///
/// Nothing is kept of a blob besides what the extractor writes, so a layer needs room on the disk
/// once. What the extractor gets is not yet known to be true; the caller uses the directory only
/// when all of this has returned.
public final class LayerArchive {
    private static final Set<String> PLAIN =
            Set.of(
                    "application/vnd.oci.image.layer.v1.tar",
                    "application/vnd.docker.image.rootfs.diff.tar");
    private static final Set<String> GZIP =
            Set.of(
                    "application/vnd.oci.image.layer.v1.tar+gzip",
                    "application/vnd.docker.image.rootfs.diff.tar.gzip");
    private static final Set<String> ZSTD =
            Set.of(
                    "application/vnd.oci.image.layer.v1.tar+zstd",
                    "application/vnd.docker.image.rootfs.diff.tar.zstd");

    /// A decoder's window is memory outside of the Java heap: 128 MiB, what `zstd --ultra` makes.
    private static final int ZSTD_WINDOW_LOG = 27;

    private final Descriptor blob;
    private final Digest diffId;
    private final ImageLimits limits;

    /// A layer that is still to come.
    ///
    /// @throws ImageException for a blob that is no layer, or too large
    public LayerArchive(Descriptor blob, Digest diffId, ImageLimits limits) {
        this.blob = blob;
        this.diffId = diffId;
        this.limits = limits;
        String type = blob.mediaType();
        if (!PLAIN.contains(type) && !GZIP.contains(type) && !ZSTD.contains(type)) {
            throw ImageException.image("a layer of type '" + type + "', which is not known");
        }
        if (blob.size() > limits.layerBytes()) {
            throw ImageException.image(
                    "a layer of "
                            + blob.size()
                            + " bytes, more than the limit of "
                            + limits.layerBytes());
        }
    }

    /// Unpacks the layer; on any failure the directory is to be thrown away.
    ///
    /// @param content of the blob, not closed
    public void unpack(InputStream content, ConfinedTree tree, Quota quota) {
        VerifiedInput verified = new VerifiedInput(content, blob);
        MessageDigest sha256 = Digest.sha256();
        try (InputStream tar =
                new BufferedInputStream(
                        new Unpacked(decoded(verified), verified, sha256), 65_536)) {
            new LayerExtractor(tree, quota, limits.depth()).extract(tar);
            tar.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            throw ImageException.image("a layer that cannot be unpacked: " + e.getMessage());
        }
        verified.finish();
        Digest seen = Digest.of(sha256);
        if (!seen.equals(diffId)) {
            throw ImageException.image(
                    "a layer whose content has digest " + seen + ", not the diff_id " + diffId);
        }
    }

    private InputStream decoded(VerifiedInput verified) throws IOException {
        InputStream kept =
                new FilterInputStream(verified) {
                    // Not the blob: what is behind the archive is still to be verified.
                    @Override
                    public void close() {}
                };
        if (GZIP.contains(blob.mediaType())) {
            return new GZIPInputStream(kept, 65_536);
        }
        if (ZSTD.contains(blob.mediaType())) {
            return new ZstdInputStreamNoFinalizer(kept).setLongMax(ZSTD_WINDOW_LOG);
        }
        return kept;
    }

    /// What comes out of the decoder, with its digest, held to the ratio.
    private final class Unpacked extends FilterInputStream {
        private final VerifiedInput packed;
        private final MessageDigest sha256;
        private long count;

        Unpacked(InputStream in, VerifiedInput packed, MessageDigest sha256) {
            super(in);
            this.packed = packed;
            this.sha256 = sha256;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int n = in.read(into, offset, length);
            if (n > 0) {
                sha256.update(into, offset, n);
                count += n;
                if (count > ImageLimits.RATIO_FREE_BYTES
                        && count / limits.ratio() > packed.count()) {
                    throw ImageException.image(
                            "a layer of which each byte becomes more than "
                                    + limits.ratio()
                                    + ": a bomb");
                }
            }
            return n;
        }

        @Override
        public long skip(long n) throws IOException {
            return readNBytes((int) Math.min(n, 65_536)).length;
        }
    }
}
