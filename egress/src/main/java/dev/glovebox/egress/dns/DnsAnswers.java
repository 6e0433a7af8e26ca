package dev.glovebox.egress.dns;

import dev.glovebox.protocol.egress.HostName;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Answers DNS questions from the policy alone (RFC 1035). No question is ever passed on, so no
/// name can carry anything out.
///
/// A name that some rule allows has its synthetic addresses as A and AAAA, and no record of any
/// other type. So has the name of the door itself, under every policy. Any other name is REFUSED. A
/// message that is not one plain question is FORMERR, another operation than a query NOTIMP, and
/// what is too short to be answered gets no answer.
public final class DnsAnswers {
    private static final int HEADER = 12;
    private static final int TTL_SECONDS = 60;
    private static final int TYPE_A = 1;
    private static final int TYPE_AAAA = 28;
    private static final int CLASS_IN = 1;
    private static final int MAX_NAME = 255;

    private static final int NO_ERROR = 0;
    private static final int FORMAT_ERROR = 1;
    private static final int NOT_IMPLEMENTED = 4;
    private static final int REFUSED = 5;

    private final Predicate<HostName> known;
    private final SyntheticNames names;
    private final Consumer<String> refused;

    /// @param known whether some rule allows the name
    /// @param names gives addresses to names
    /// @param refused is told each name that got no answer
    public DnsAnswers(Predicate<HostName> known, SyntheticNames names, Consumer<String> refused) {
        this.known = known;
        this.names = names;
        this.refused = refused;
    }

    private record Question(String name, int type, int qclass, int end) {}

    /// The answer to one message, or none if it is not even a question's header.
    public Optional<byte[]> answer(byte[] message) {
        if (message.length < HEADER || (message[2] & 0x80) != 0) {
            return Optional.empty();
        }
        if ((message[2] & 0x78) != 0) {
            return Optional.of(reply(message, HEADER, NOT_IMPLEMENTED, Optional.empty()));
        }
        return Optional.of(
                question(message)
                        .map(question -> answer(message, question))
                        .orElseGet(() -> reply(message, HEADER, FORMAT_ERROR, Optional.empty())));
    }

    private byte[] answer(byte[] message, Question question) {
        Optional<SyntheticNames.Pair> pair =
                HostName.tryParse(question.name())
                        .filter(name -> question.qclass() == CLASS_IN && isKnown(name))
                        .flatMap(names::addressesOf);
        if (pair.isEmpty()) {
            refused.accept(question.name());
            return reply(message, question.end(), REFUSED, Optional.empty());
        }
        Optional<InetAddress> address =
                switch (question.type()) {
                    case TYPE_A -> pair.map(SyntheticNames.Pair::four);
                    case TYPE_AAAA -> pair.map(SyntheticNames.Pair::six);
                    default -> Optional.empty();
                };
        return reply(message, question.end(), NO_ERROR, address);
    }

    private boolean isKnown(HostName name) {
        return name.equals(SyntheticNames.DOOR) || known.test(name);
    }

    /// The one question of the message; empty if there is not exactly one or it is malformed. Bytes
    /// of a label outside printable ASCII become `?`, which no name has.
    private static Optional<Question> question(byte[] message) {
        ByteBuffer in = ByteBuffer.wrap(message);
        if (in.getShort(4) != 1) {
            return Optional.empty();
        }
        in.position(HEADER);
        StringBuilder name = new StringBuilder();
        while (in.hasRemaining()) {
            int length = in.get();
            if (length == 0) {
                return in.remaining() < 4
                        ? Optional.empty()
                        : Optional.of(
                                new Question(
                                        name.toString(),
                                        in.getShort(),
                                        in.getShort() & 0xffff,
                                        in.position()));
            }
            if (length < 0 || length > 63 || length > in.remaining()) {
                return Optional.empty();
            }
            if (in.position() - HEADER + length > MAX_NAME) {
                return Optional.empty();
            }
            label(in, length, name);
        }
        return Optional.empty();
    }

    private static void label(ByteBuffer in, int length, StringBuilder name) {
        byte[] label = new byte[length];
        in.get(label);
        for (int i = 0; i < length; i++) {
            if (label[i] <= ' ' || label[i] == 0x7f || label[i] == '.') {
                label[i] = '?';
            }
        }
        name.append(name.isEmpty() ? "" : ".");
        name.append(new String(label, StandardCharsets.US_ASCII));
    }

    /// Copies header and question, as they were spelled, and adds the answer.
    private static byte[] reply(
            byte[] message, int questionEnd, int code, Optional<InetAddress> address) {
        byte[] data = address.map(InetAddress::getAddress).orElse(new byte[0]);
        ByteBuffer out =
                ByteBuffer.allocate(questionEnd + (data.length == 0 ? 0 : 12 + data.length));
        out.put(message, 0, questionEnd);
        out.put(2, (byte) (0x80 | (message[2] & 0x79)));
        out.put(3, (byte) (0x80 | code));
        out.putShort(4, (short) (questionEnd > HEADER ? 1 : 0));
        out.putShort(6, (short) (data.length == 0 ? 0 : 1));
        out.putInt(8, 0);
        if (data.length > 0) {
            out.putShort((short) (0xc000 | HEADER));
            out.putShort((short) (data.length == 4 ? TYPE_A : TYPE_AAAA))
                    .putShort((short) CLASS_IN);
            out.putInt(TTL_SECONDS).putShort((short) data.length).put(data);
        }
        return out.array();
    }
}
