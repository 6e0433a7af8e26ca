package dev.glovebox.linux.net;

import dev.glovebox.linux.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/// Sending a datagram from an address of our choice (`sendmsg(2)` with `IP_PKTINFO`, ip(7)), so
/// that an answer comes from the server that was asked.
public final class Datagrams {
    private static final int IP_PKTINFO = 8;
    private static final int MSG_DONTWAIT = 0x40;

    private static final MethodHandle SENDMSG =
            Libc.handle(
                    "sendmsg",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT));

    private Datagrams() {}

    /// Sends the payload without ever blocking.
    ///
    /// @param fd a bound IPv4 datagram socket; the source port is the one it is bound to
    /// @param from source address, any for a transparent socket
    /// @return false if the kernel did not take it (a full buffer, a peer that is gone): a datagram
    ///   may always be lost
    public static boolean send(int fd, byte[] payload, InetSocketAddress to, Inet4Address from) {
        InetAddress address = to.getAddress();
        try (Arena arena = Arena.ofConfined()) {
            // SAFETY: all segments live in this arena until the call has returned; layouts of
            // msghdr, iovec and cmsghdr are those of 64-bit Linux.
            MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_BYTE, payload);
            MemorySegment vector = arena.allocate(16, 8);
            vector.set(ValueLayout.ADDRESS, 0, data);
            vector.set(ValueLayout.JAVA_LONG, 8, data.byteSize());
            MemorySegment name = Sockets.socketAddress(arena, address, to.getPort());
            MemorySegment control = arena.allocate(32, 8);
            control.set(ValueLayout.JAVA_LONG, 0, 28);
            control.set(ValueLayout.JAVA_INT, 8, Sockets.SOL_IP);
            control.set(ValueLayout.JAVA_INT, 12, IP_PKTINFO);
            MemorySegment.copy(MemorySegment.ofArray(from.getAddress()), 0, control, 20, 4);
            MemorySegment message = arena.allocate(56, 8);
            message.set(ValueLayout.ADDRESS, 0, name);
            message.set(ValueLayout.JAVA_INT, 8, (int) name.byteSize());
            message.set(ValueLayout.ADDRESS, 16, vector);
            message.set(ValueLayout.JAVA_LONG, 24, 1);
            message.set(ValueLayout.ADDRESS, 32, control);
            message.set(ValueLayout.JAVA_LONG, 40, control.byteSize());
            MemorySegment errno = Libc.errnoCapture(arena);
            return (long) SENDMSG.invokeExact(errno, fd, message, MSG_DONTWAIT) >= 0;
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
