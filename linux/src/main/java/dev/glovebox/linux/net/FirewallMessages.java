package dev.glovebox.linux.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// The messages of `nf_tables` that give the calling thread's network namespace one table, with one
/// chain before routing that drops what no rule of it decides.
///
/// Spoken directly because starting `nft` costs several times what the rest of a namespace does.
/// Layouts and numbers are those of `linux/netfilter/nf_tables.h`; every number in an attribute is
/// big-endian. `nft list ruleset` shows what has come of it.
final class FirewallMessages {
    private static final int BATCH_BEGIN = 16;
    private static final int BATCH_END = 17;
    private static final int TABLES = 10;
    private static final int NEW_TABLE = TABLES << 8;
    private static final int NEW_CHAIN = TABLES << 8 | 3;
    private static final int NEW_RULE = TABLES << 8 | 6;
    private static final int INET = 1;
    private static final int PRE_ROUTING = 0;
    private static final int PRIORITY_MANGLE = -150;
    private static final int DROP = 0;
    private static final int ACCEPT = 1;
    private static final byte[] TABLE = text("glovebox");
    private static final byte[] CHAIN = text("caught");

    private FirewallMessages() {}

    /// The whole batch.
    static List<byte[]> of(List<Rule> rules) {
        List<byte[]> messages = new ArrayList<>();
        messages.add(Netlink.mark(BATCH_BEGIN).head(0, 0, 0, TABLES).finish());
        messages.add(message(NEW_TABLE).attribute(1, TABLE).finish());
        messages.add(
                message(NEW_CHAIN)
                        .attribute(1, TABLE)
                        .attribute(3, CHAIN)
                        .begin(4)
                        .attribute(1, Netlink.bigEndian(PRE_ROUTING))
                        .attribute(2, Netlink.bigEndian(PRIORITY_MANGLE))
                        .end()
                        .attribute(5, Netlink.bigEndian(DROP))
                        .attribute(7, text("filter"))
                        .finish());
        rules.forEach(rule -> messages.add(rule.message.end().finish()));
        messages.add(Netlink.mark(BATCH_END).head(0, 0, 0, TABLES).finish());
        return messages;
    }

    private static Netlink.Message message(int type) {
        return Netlink.message(type, Netlink.CREATE_LAST).head(INET, 0, 0, 0);
    }

    private static byte[] text(String text) {
        return (text + "\0").getBytes(StandardCharsets.US_ASCII);
    }

    /// One rule: conditions, then what becomes of a packet that meets them all. Each step is an
    /// expression of the kernel's little machine, which works on numbered registers.
    static final class Rule {
        private static final int VERDICT = 0;
        private static final int FIRST = 1;
        private static final int SECOND = 2;
        private static final int META_MARK = 3;
        private static final int META_FAMILY = 15;
        private static final int META_PROTOCOL = 16;
        private static final int NETWORK_HEADER = 1;
        private static final int TRANSPORT_HEADER = 2;
        private static final int TCP = 6;
        private static final int UDP = 17;
        private static final int ICMP = 1;
        private static final int ICMP_6 = 58;
        private static final int REJECT_BY_ICMP = 2;
        private static final int PORT_UNREACHABLE = 1;
        private static final int DESTINATION_4 = 16;
        private static final int DESTINATION_6 = 24;

        private final Netlink.Message message =
                message(NEW_RULE).attribute(1, TABLE).attribute(2, CHAIN).begin(4);

        /// The packet has this mark (`SO_MARK`).
        Rule mark(int mark) {
            return meta(META_MARK, Netlink.hostOrder(mark));
        }

        Rule family4() {
            return meta(META_FAMILY, new byte[] {Sockets.AF_INET});
        }

        Rule family6() {
            return meta(META_FAMILY, new byte[] {Sockets.AF_INET6});
        }

        Rule tcp() {
            return meta(META_PROTOCOL, new byte[] {TCP});
        }

        /// UDP to this port.
        Rule udp(int port) {
            return meta(META_PROTOCOL, new byte[] {UDP}).bytes(TRANSPORT_HEADER, 2, number(port));
        }

        Rule icmp(int type) {
            return meta(META_PROTOCOL, new byte[] {ICMP})
                    .bytes(TRANSPORT_HEADER, 0, new byte[] {(byte) type});
        }

        Rule icmp6(int type) {
            return meta(META_PROTOCOL, new byte[] {ICMP_6})
                    .bytes(TRANSPORT_HEADER, 0, new byte[] {(byte) type});
        }

        /// To 127.0.0.0/8.
        Rule toLoopback4() {
            return family4().bytes(NETWORK_HEADER, DESTINATION_4, new byte[] {127});
        }

        Rule to(InetAddress address) {
            return address instanceof Inet4Address
                    ? family4().bytes(NETWORK_HEADER, DESTINATION_4, address.getAddress())
                    : family6().bytes(NETWORK_HEADER, DESTINATION_6, address.getAddress());
        }

        /// Gives the packet to the socket that is bound to this address and port.
        Rule give(InetAddress address, int port) {
            int family = address instanceof Inet4Address ? Sockets.AF_INET : Sockets.AF_INET6;
            load(FIRST, address.getAddress());
            load(SECOND, number(port));
            begin("tproxy")
                    .attribute(1, Netlink.bigEndian(family))
                    .attribute(2, Netlink.bigEndian(FIRST))
                    .attribute(3, Netlink.bigEndian(SECOND));
            return done();
        }

        Rule accept() {
            begin("immediate")
                    .attribute(1, Netlink.bigEndian(VERDICT))
                    .begin(2)
                    .begin(2)
                    .attribute(1, Netlink.bigEndian(ACCEPT))
                    .end()
                    .end();
            return done();
        }

        /// Answers that nobody is there: ICMP or ICMPv6 port unreachable.
        Rule reject() {
            begin("reject")
                    .attribute(1, Netlink.bigEndian(REJECT_BY_ICMP))
                    .attribute(2, new byte[] {PORT_UNREACHABLE});
            return done();
        }

        private Rule meta(int key, byte[] expected) {
            begin("meta")
                    .attribute(1, Netlink.bigEndian(FIRST))
                    .attribute(2, Netlink.bigEndian(key));
            return done().equal(expected);
        }

        private Rule bytes(int header, int offset, byte[] expected) {
            begin("payload")
                    .attribute(1, Netlink.bigEndian(FIRST))
                    .attribute(2, Netlink.bigEndian(header))
                    .attribute(3, Netlink.bigEndian(offset))
                    .attribute(4, Netlink.bigEndian(expected.length));
            return done().equal(expected);
        }

        private Rule equal(byte[] expected) {
            begin("cmp")
                    .attribute(1, Netlink.bigEndian(FIRST))
                    .attribute(2, Netlink.bigEndian(0))
                    .begin(3)
                    .attribute(1, expected)
                    .end();
            return done();
        }

        private void load(int register, byte[] value) {
            begin("immediate")
                    .attribute(1, Netlink.bigEndian(register))
                    .begin(2)
                    .attribute(1, value)
                    .end();
            done();
        }

        private Netlink.Message begin(String expression) {
            return message.begin(1).attribute(1, text(expression)).begin(2);
        }

        private Rule done() {
            message.end().end();
            return this;
        }

        private static byte[] number(int port) {
            return ByteBuffer.allocate(2)
                    .order(ByteOrder.BIG_ENDIAN)
                    .putShort((short) port)
                    .array();
        }
    }
}
