package dev.glovebox.linux.net;

import dev.glovebox.linux.Errno;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.NamespaceCalls;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// Messages of `netlink(7)`: how one is laid out, and how some are sent and acknowledged.
///
/// Layouts are those of `linux/netlink.h`. Lengths, types and flags are in host byte order; what an
/// attribute holds is up to its family.
final class Netlink {
    static final int ROUTE = 0;
    static final int NETFILTER = 12;
    static final int CREATE_EXCLUSIVE = 0x400 | 0x200;
    static final int CREATE_LAST = 0x400 | 0x800;
    private static final int ERROR = 2;
    private static final int REQUEST_ACK = 1 | 4;
    private static final int REQUEST = 1;
    private static final int NESTED = 0x8000;
    private static final int HEAD = 16;
    private static final int MOST = 8192;

    private Netlink() {}

    /// A message that the kernel acknowledges.
    static Message message(int type, int flags) {
        return new Message(type, REQUEST_ACK | flags);
    }

    /// A message that only stands for the place where others begin or end, without an answer.
    static Message mark(int type) {
        return new Message(type, REQUEST);
    }

    /// One message as it grows.
    static final class Message {
        private final ByteBuffer bytes = ByteBuffer.allocate(1024).order(ByteOrder.nativeOrder());
        private final List<Integer> open = new ArrayList<>();

        private Message(int type, int flags) {
            bytes.putInt(0).putShort((short) type).putShort((short) flags).putInt(1).putInt(0);
        }

        /// The bytes of the family's own header.
        Message head(int... values) {
            for (int value : values) {
                bytes.put((byte) value);
            }
            return this;
        }

        /// A number of the family's own header, in host byte order.
        Message headNumber(int value) {
            bytes.putInt(value);
            return this;
        }

        Message attribute(int type, byte[] value) {
            bytes.putShort((short) (4 + value.length)).putShort((short) type).put(value);
            return aligned();
        }

        /// Opens an attribute that holds attributes.
        Message begin(int type) {
            open.add(bytes.position());
            bytes.putShort((short) 0).putShort((short) (type | NESTED));
            return this;
        }

        /// Closes what was opened last.
        Message end() {
            int start = open.removeLast();
            bytes.putShort(start, (short) (bytes.position() - start));
            return this;
        }

        byte[] finish() {
            bytes.putInt(0, bytes.position());
            byte[] all = new byte[bytes.position()];
            bytes.get(0, all);
            return all;
        }

        private Message aligned() {
            while (bytes.position() % 4 != 0) {
                bytes.put((byte) 0);
            }
            return this;
        }
    }

    /// A number as attributes of netfilter and addresses hold it.
    static byte[] bigEndian(int value) {
        return ByteBuffer.allocate(4).putInt(value).array();
    }

    /// A number as attributes of routes hold it.
    static byte[] hostOrder(int value) {
        return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(value).array();
    }

    /// Sends each request in the calling thread's namespace and waits for its acknowledgement
    /// before the next.
    ///
    /// @throws LinuxException with the errno that the kernel answered
    static void oneByOne(int family, List<byte[]> requests) {
        int fd = Sockets.socket(Sockets.AF_NETLINK, Sockets.SOCK_RAW, family);
        try {
            for (byte[] request : requests) {
                Sockets.send(fd, request);
                acknowledged(fd, 1);
            }
        } finally {
            NamespaceCalls.close(fd);
        }
    }

    /// Sends the requests as one: all of them come about, or none.
    ///
    /// @param requests of which all but the first and the last are acknowledged
    /// @throws LinuxException with the first errno that the kernel answered
    static void atOnce(int family, List<byte[]> requests) {
        ByteBuffer all = ByteBuffer.allocate(requests.stream().mapToInt(r -> r.length).sum());
        requests.forEach(all::put);
        int fd = Sockets.socket(Sockets.AF_NETLINK, Sockets.SOCK_RAW, family);
        try {
            Sockets.send(fd, all.array());
            acknowledged(fd, requests.size() - 2);
        } finally {
            NamespaceCalls.close(fd);
        }
    }

    private static void acknowledged(int fd, int count) {
        for (int seen = 0; seen < count; ) {
            ByteBuffer answers =
                    ByteBuffer.wrap(Sockets.receive(fd, MOST)).order(ByteOrder.nativeOrder());
            for (int at = 0; at < answers.limit(); seen++) {
                at += acknowledged(answers, at);
            }
        }
    }

    private static int acknowledged(ByteBuffer answers, int at) {
        boolean whole = answers.limit() - at >= HEAD + 4;
        if (!whole || answers.getShort(at + 4) != ERROR) {
            throw new LinuxException("netlink", Errno.EIO, "an answer that is none");
        }
        int error = answers.getInt(at + HEAD);
        if (error != 0) {
            int asked = answers.limit() - at >= HEAD + 10 ? answers.getShort(at + HEAD + 8) : 0;
            throw new LinuxException("netlink", -error, "message type " + asked);
        }
        return (answers.getInt(at) + 3) & ~3;
    }
}
