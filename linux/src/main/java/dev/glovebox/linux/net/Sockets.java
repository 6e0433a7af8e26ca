package dev.glovebox.linux.net;

import dev.glovebox.linux.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteOrder;

/// Socket calls that the JDK has no name for: transparent sockets, marks, netlink, and a datagram's
/// source address.
///
/// SAFETY, for every downcall here: each segment lives in a confined arena that outlives the call,
/// and errno is read from the capture segment of that same call. A socket belongs to the network
/// namespace of the thread that calls `socket(2)` and stays there.
final class Sockets {
    static final int AF_INET = 2;
    static final int AF_INET6 = 10;
    static final int AF_NETLINK = 16;
    static final int SOCK_STREAM = 1;
    static final int SOCK_DGRAM = 2;
    static final int SOCK_RAW = 3;
    static final int SOCK_NONBLOCK = 0x800;
    static final int SOCK_CLOEXEC = 0x80000;
    static final int SOL_IP = 0;
    static final int SOL_SOCKET = 1;
    static final int SOL_IPV6 = 41;
    static final int SO_MARK = 36;
    static final int IP_TRANSPARENT = 19;
    static final int IP_RECVORIGDSTADDR = 20;
    static final int IPV6_V6ONLY = 26;
    static final int IPV6_TRANSPARENT = 75;

    private static final ValueLayout.OfShort PORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private static final MethodHandle SOCKET =
            Libc.handle(
                    "socket",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT));
    private static final MethodHandle SETSOCKOPT =
            Libc.handle(
                    "setsockopt",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT));
    private static final MethodHandle BIND =
            Libc.handle(
                    "bind",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT));
    private static final MethodHandle LISTEN =
            Libc.handle(
                    "listen",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    private static final MethodHandle SEND = transfer("send");
    private static final MethodHandle RECV = transfer("recv");

    private Sockets() {}

    private static MethodHandle transfer(String name) {
        return Libc.handle(
                name,
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT,
                        ValueLayout.ADDRESS,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT));
    }

    /// A new close-on-exec socket; the caller closes it.
    static int socket(int family, int type, int protocol) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            int fd = (int) SOCKET.invokeExact(errno, family, type | SOCK_CLOEXEC, protocol);
            return Libc.check(fd, errno, "socket", "family " + family + " protocol " + protocol);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    static void option(int fd, int level, int option, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            MemorySegment number = arena.allocateFrom(ValueLayout.JAVA_INT, value);
            int answer =
                    (int) SETSOCKOPT.invokeExact(errno, fd, level, option, number, Integer.BYTES);
            Libc.check(answer, errno, "setsockopt", level + "/" + option);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    static void bind(int fd, InetAddress address, int port) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            MemorySegment name = socketAddress(arena, address, port);
            int answer = (int) BIND.invokeExact(errno, fd, name, (int) name.byteSize());
            Libc.check(answer, errno, "bind", address.getHostAddress() + " port " + port);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    static void listen(int fd, int backlog) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            int answer = (int) LISTEN.invokeExact(errno, fd, backlog);
            Libc.check(answer, errno, "listen", "fd " + fd);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    static void send(int fd, byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            long sent = (long) SEND.invokeExact(errno, fd, data, data.byteSize(), 0);
            Libc.check((int) sent, errno, "send", "fd " + fd);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Waits for the next message, cut to `maxBytes`. Blocks: on a [KernelThread] only.
    static byte[] receive(int fd, int maxBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            MemorySegment data = arena.allocate(maxBytes);
            long length = (long) RECV.invokeExact(errno, fd, data, data.byteSize(), 0);
            Libc.check((int) length, errno, "recv", "fd " + fd);
            return data.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// A `sockaddr_in` or `sockaddr_in6` as `ip(7)` and `ipv6(7)` lay it out.
    static MemorySegment socketAddress(Arena arena, InetAddress address, int port) {
        boolean four = address instanceof Inet4Address;
        MemorySegment segment = arena.allocate(four ? 16 : 28, 8);
        segment.set(ValueLayout.JAVA_SHORT, 0, (short) (four ? AF_INET : AF_INET6));
        segment.set(PORT, 2, (short) port);
        MemorySegment.copy(
                MemorySegment.ofArray(address.getAddress()),
                0,
                segment,
                four ? 4 : 8,
                four ? 4 : 16);
        return segment;
    }
}
