package dev.glovebox.linux;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// The few `rtnetlink(7)` requests that make a namespace's loopback interface take every address.
///
/// Spoken directly because starting `ip` would cost more than all of them together. Layouts are
/// those of `linux/netlink.h` and `linux/rtnetlink.h`; numbers are in host byte order.
final class RouteMessages {
    private static final int NETLINK_ROUTE = 0;
    private static final int NLMSG_ERROR = 2;
    private static final int RTM_NEWLINK = 16;
    private static final int RTM_NEWADDR = 20;
    private static final int RTM_NEWROUTE = 24;
    private static final int REQUEST_ACK = 1 | 4;
    private static final int CREATE_EXCLUSIVE = 0x400 | 0x200;
    private static final int LOOPBACK_INDEX = 1;
    private static final int TABLE_LOCAL = 255;
    private static final int PROTOCOL_BOOT = 3;
    private static final int SCOPE_HOST = 254;
    private static final int TYPE_LOCAL = 2;
    private static final int ATTRIBUTE_OIF = 4;
    private static final int ATTRIBUTE_PREFSRC = 7;

    private RouteMessages() {}

    /// `ip link set lo up`.
    static byte[] loopbackUp() {
        ByteBuffer message = start(RTM_NEWLINK, 0);
        message.put((byte) 0).put((byte) 0).putShort((short) 0).putInt(LOOPBACK_INDEX);
        message.putInt(1).putInt(1);
        return finish(message);
    }

    /// `ip address add ADDRESS/32 dev lo`, or `/128`.
    static byte[] addAddress(InetAddress address) {
        ByteBuffer message = start(RTM_NEWADDR, CREATE_EXCLUSIVE);
        message.put((byte) family(address)).put((byte) (address.getAddress().length * 8));
        message.put((byte) 0).put((byte) 0).putInt(LOOPBACK_INDEX);
        attribute(message, 1, address.getAddress());
        attribute(message, 2, address.getAddress());
        return finish(message);
    }

    /// `ip route add local default dev lo src SOURCE`: every address of the family is this host.
    static byte[] everythingIsLocal(InetAddress source) {
        boolean four = source instanceof Inet4Address;
        ByteBuffer message = start(RTM_NEWROUTE, CREATE_EXCLUSIVE);
        message.put((byte) family(source)).put((byte) 0).put((byte) 0).put((byte) 0);
        message.put((byte) TABLE_LOCAL).put((byte) PROTOCOL_BOOT);
        message.put((byte) (four ? SCOPE_HOST : 0)).put((byte) TYPE_LOCAL).putInt(0);
        ByteBuffer index = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder());
        attribute(message, ATTRIBUTE_OIF, index.putInt(0, LOOPBACK_INDEX).array());
        if (four) {
            attribute(message, ATTRIBUTE_PREFSRC, source.getAddress());
        }
        return finish(message);
    }

    /// Sends each request in the calling thread's namespace and waits for its acknowledgement.
    ///
    /// @throws LinuxException with the errno that the kernel answered
    static void apply(List<byte[]> requests) {
        int fd = Sockets.socket(Sockets.AF_NETLINK, Sockets.SOCK_RAW, NETLINK_ROUTE);
        try {
            for (byte[] request : requests) {
                Sockets.send(fd, request);
                acknowledge(ByteBuffer.wrap(Sockets.receive(fd, 4096)), request);
            }
        } finally {
            NamespaceCalls.close(fd);
        }
    }

    private static void acknowledge(ByteBuffer answer, byte[] request) {
        answer.order(ByteOrder.nativeOrder());
        int asked = ByteBuffer.wrap(request).order(ByteOrder.nativeOrder()).getShort(4);
        if (answer.remaining() < 20 || answer.getShort(4) != NLMSG_ERROR) {
            throw new LinuxException("netlink", Errno.EIO, "message type " + asked);
        }
        if (answer.getInt(16) != 0) {
            throw new LinuxException("netlink", -answer.getInt(16), "message type " + asked);
        }
    }

    private static int family(InetAddress address) {
        return address instanceof Inet4Address ? Sockets.AF_INET : Sockets.AF_INET6;
    }

    private static ByteBuffer start(int type, int flags) {
        ByteBuffer message = ByteBuffer.allocate(128).order(ByteOrder.nativeOrder());
        return message.putInt(0)
                .putShort((short) type)
                .putShort((short) (REQUEST_ACK | flags))
                .putInt(1)
                .putInt(0);
    }

    private static void attribute(ByteBuffer message, int type, byte[] value) {
        message.putShort((short) (4 + value.length)).putShort((short) type).put(value);
    }

    private static byte[] finish(ByteBuffer message) {
        message.putInt(0, message.position());
        byte[] bytes = new byte[message.position()];
        message.get(0, bytes);
        return bytes;
    }
}
