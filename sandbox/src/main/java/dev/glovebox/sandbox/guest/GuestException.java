package dev.glovebox.sandbox.guest;

/// A call into a sandbox that failed there, or that did not come through.
///
/// [#code] is the name of an errno. Those of the inside are the kernel's; of our own are
/// `ECONNRESET` (the sandbox or the [Guest] is gone), `ETIMEDOUT` (no answer in time), `EINTR`
/// (this thread was interrupted, and still is), `EPROTO` (the inside answered nonsense), `EBUSY`
/// (the sandbox is paused; nothing was sent), `EINVAL` and `E2BIG` (the call cannot be sent: a NUL
/// or a relative path, too long).
public final class GuestException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String code;
    private final String step;
    private final String path;

    GuestException(String code, String step, String path) {
        super(step + (path.isEmpty() ? "" : " " + path) + ": " + code);
        this.code = code;
        this.step = step;
        this.path = path;
    }

    GuestException(String code, String step, String path, Throwable cause) {
        this(code, step, path);
        initCause(cause);
    }

    /// The same for another thread, with the stack of its own call.
    GuestException again() {
        return new GuestException(code, step, path, this);
    }

    /// Name of the errno, such as `ENOENT`.
    public String code() {
        return code;
    }

    /// The path or program the call was about, empty if none.
    public String path() {
        return path;
    }
}
