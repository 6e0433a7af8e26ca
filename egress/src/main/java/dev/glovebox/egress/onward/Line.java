package dev.glovebox.egress.onward;

import io.netty.channel.Channel;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.function.Consumer;

/// One way to make a connection, tried once. Its methods are called on one event loop, where it
/// tells what came of it.
interface Line {
    /// Begins. One of the two is called, not before this returns.
    ///
    /// @param open is given a channel that is not reading
    void begin(Consumer<Channel> open, Consumer<Failure> failed);

    /// Gives up what has begun.
    void stop();

    /// The address alone, without a name or a zone. Java keeps the name that an address was found
    /// by, and whoever asks the address for its text may be given that name.
    static InetAddress nameless(InetAddress address) {
        try {
            return InetAddress.getByAddress(address.getAddress());
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has four or sixteen bytes", e);
        }
    }
}
