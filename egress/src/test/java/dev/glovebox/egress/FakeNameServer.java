package dev.glovebox.egress;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/// A name server that answers as a test wants it to, over UDP and TCP, and remembers what it was
/// asked: for answers that no server of Debian's gives. Names it was not told of do not exist.
public final class FakeNameServer implements AutoCloseable {
    public static final int A = 1;
    public static final int AAAA = 28;
    private static final int HEADER = 12;

    private final DatagramSocket udp;
    private final ServerSocket tcp;
    private final Map<String, Function<Question, Optional<byte[]>>> names =
            new ConcurrentHashMap<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();

    /// One question as it came.
    public record Question(String name, int type, boolean overTcp, ByteBuffer message, int end) {}

    /// Listens where the calling thread is; port 0 is a free one.
    public FakeNameServer(InetAddress address, int port) throws IOException {
        tcp = new ServerSocket(port, 50, address);
        udp = new DatagramSocket(new InetSocketAddress(address, tcp.getLocalPort()));
        Thread.ofVirtual().start(this::serveUdp);
        Thread.ofVirtual().start(this::serveTcp);
    }

    public InetSocketAddress address() {
        return (InetSocketAddress) udp.getLocalSocketAddress();
    }

    /// Answers questions about the name so; an empty answer is silence.
    public void say(String name, Function<Question, Optional<byte[]>> answer) {
        names.put(name + ".", answer);
    }

    /// The name has these addresses, each in the answer to the question for its family.
    public void addresses(String name, int ttl, String... addresses) {
        say(name, question -> Optional.of(Reply.to(question).addresses(ttl, addresses).bytes()));
    }

    /// The names it was asked for, `NAME TYPE`, in order.
    public List<String> asked() {
        return asked;
    }

    /// How often it was asked for addresses of the first family of this name.
    public long asked(String name) {
        return asked.stream().filter((name + ". A")::equals).count();
    }

    private void serveUdp() {
        byte[] room = new byte[4096];
        while (!udp.isClosed()) {
            try {
                DatagramPacket packet = new DatagramPacket(room, room.length);
                udp.receive(packet);
                byte[] message = Arrays.copyOf(room, packet.getLength());
                Thread.ofVirtual()
                        .start(() ->
                                answer(message, false)
                                        .ifPresent(
                                                answer -> send(packet.getSocketAddress(), answer)));
            } catch (IOException e) {
                // closed
            }
        }
    }

    private void send(java.net.SocketAddress to, byte[] answer) {
        try {
            udp.send(new DatagramPacket(answer, answer.length, to));
        } catch (IOException e) {
            // closed
        }
    }

    private void serveTcp() {
        while (!tcp.isClosed()) {
            try {
                Socket socket = tcp.accept();
                Thread.ofVirtual().start(() -> converse(socket));
            } catch (IOException e) {
                // closed
            }
        }
    }

    private void converse(Socket socket) {
        try (socket) {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            byte[] message = in.readNBytes(in.readUnsignedShort());
            Optional<byte[]> answer = answer(message, true);
            if (answer.isPresent()) {
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                out.writeShort(answer.get().length);
                out.write(answer.get());
                out.flush();
            }
        } catch (IOException e) {
            // the other side has gone
        }
    }

    private Optional<byte[]> answer(byte[] message, boolean overTcp) {
        StringBuilder name = new StringBuilder();
        int at = HEADER;
        while (message[at] != 0) {
            name.append(new String(message, at + 1, message[at], StandardCharsets.US_ASCII))
                    .append('.');
            at += 1 + message[at];
        }
        int type = message[at + 2];
        Question question =
                new Question(name.toString(), type, overTcp, ByteBuffer.wrap(message), at + 5);
        asked.add(name + " " + (type == A ? "A" : type == AAAA ? "AAAA" : "" + type));
        return names.getOrDefault(name.toString(), q -> Optional.of(Reply.to(q).code(3).bytes()))
                .apply(question);
    }

    /// Refuses TCP from now on.
    public void refuseTcp() throws IOException {
        tcp.close();
    }

    @Override
    public void close() throws IOException {
        udp.close();
        tcp.close();
    }

    /// An answer in the making.
    public static final class Reply {
        private final Question question;
        private final ByteArrayOutputStream records = new ByteArrayOutputStream();
        private int answers;
        private int authorities;
        private int more;
        private int flags = 0x8180;
        private int id;
        private byte[] asked;

        private Reply(Question question) {
            this.question = question;
            this.id = question.message().getShort(0) & 0xffff;
            this.asked = Arrays.copyOfRange(question.message().array(), HEADER, question.end());
        }

        public static Reply to(Question question) {
            return new Reply(question);
        }

        public Reply code(int code) {
            flags |= code;
            return this;
        }

        public Reply truncated() {
            flags |= 0x200;
            return this;
        }

        public Reply truncatedUnless(boolean whole) {
            return whole ? this : truncated();
        }

        public Reply id(int other) {
            id = other & 0xffff;
            return this;
        }

        /// As if another question had been asked.
        public Reply about(String name) {
            asked = new byte[name.length() + 6];
            byte[] wire = wire(name);
            System.arraycopy(wire, 0, asked, 0, wire.length);
            asked[wire.length + 1] = (byte) question.type();
            asked[wire.length + 3] = 1;
            return this;
        }

        /// Those of the family that was asked for, under the name that was asked for.
        public Reply addresses(int ttl, String... addresses) {
            return addressesOf(question.name(), ttl, addresses);
        }

        public Reply addressesOf(String name, int ttl, String... addresses) {
            for (String each : addresses) {
                byte[] bytes = literal(each);
                if ((bytes.length == 4) == (question.type() == A)) {
                    record(name, question.type(), ttl, bytes);
                    answers++;
                }
            }
            return this;
        }

        public Reply cname(String name, String target) {
            record(name, 5, 300, wire(target));
            answers++;
            return this;
        }

        /// A server that knows more, and its address.
        public Reply referral(String zone, String server, String address) {
            record(zone, 2, 300, wire(server));
            authorities++;
            record(server, A, 300, literal(address));
            more++;
            return this;
        }

        /// Sixteen bytes for what is written in colons, whatever Java makes of it.
        private static byte[] literal(String text) {
            byte[] bytes = InetAddress.ofLiteral(text).getAddress();
            if (!text.contains(":") || bytes.length == 16) {
                return bytes;
            }
            byte[] mapped = new byte[16];
            mapped[10] = (byte) 0xff;
            mapped[11] = (byte) 0xff;
            System.arraycopy(bytes, 0, mapped, 12, 4);
            return mapped;
        }

        private void record(String name, int type, int ttl, byte[] data) {
            records.writeBytes(wire(name));
            DataOutputStream out = new DataOutputStream(records);
            try {
                out.writeShort(type);
                out.writeShort(1);
                out.writeInt(ttl);
                out.writeShort(data.length);
                out.write(data);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }

        private static byte[] wire(String name) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            for (String label : name.split("\\.", 0)) {
                out.write(label.length());
                out.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
            }
            out.write(0);
            return out.toByteArray();
        }

        public byte[] bytes() {
            ByteArrayOutputStream message = new ByteArrayOutputStream();
            for (int field : new int[] {id, flags, 1, answers, authorities, more}) {
                message.write(field >> 8);
                message.write(field);
            }
            message.writeBytes(asked);
            message.writeBytes(records.toByteArray());
            return message.toByteArray();
        }
    }
}
