package dev.glovebox.sandbox.guest;

import java.nio.ByteBuffer;

/// Who is told of the frames of one id. Called by the reader thread, so it must not block, and must
/// hold no more than was agreed however much arrives.
interface Listener {
    /// One frame; its payload is valid only during the call.
    ///
    /// @throws GuestException `EPROTO` if it breaks the protocol: the connection is given up
    void frame(int type, ByteBuffer payload);

    /// Nothing more will come.
    void broken(GuestException reason);
}
