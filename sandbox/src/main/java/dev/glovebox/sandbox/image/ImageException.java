package dev.glovebox.sandbox.image;

/// An image that could not be had. Nothing of it is in the store but layers that are whole.
public final class ImageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Who is to blame, and so who can do something about it.
    public enum Band {
        /// The reference: malformed, or there is no such image.
        CALLER,
        /// The registry: not reached, too slow, refuses, or does not keep its protocol.
        REGISTRY,
        /// The image: beyond a limit, not what its digest says, or made to do harm.
        IMAGE,
        /// This machine: the store cannot be written.
        HOST
    }

    private final Band band;

    public ImageException(Band band, String message) {
        super(message);
        this.band = band;
    }

    public ImageException(Band band, String message, Throwable cause) {
        super(message, cause);
        this.band = band;
    }

    /// Who is to blame.
    public Band band() {
        return band;
    }

    /// An image to blame.
    public static ImageException image(String message) {
        return new ImageException(Band.IMAGE, message);
    }
}
