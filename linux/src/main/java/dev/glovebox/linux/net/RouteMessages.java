package dev.glovebox.linux.net;

import java.net.Inet4Address;
import java.net.InetAddress;

/// The few `rtnetlink(7)` requests that make a namespace's loopback interface take every address.
///
/// Spoken directly because starting `ip` would cost more than all of them together. Layouts are
/// those of `linux/rtnetlink.h`.
final class RouteMessages {
    private static final int RTM_NEWLINK = 16;
    private static final int RTM_NEWADDR = 20;
    private static final int RTM_NEWROUTE = 24;
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
        return Netlink.message(RTM_NEWLINK, 0)
                .head(0, 0, 0, 0)
                .headNumber(LOOPBACK_INDEX)
                .headNumber(1)
                .headNumber(1)
                .finish();
    }

    /// `ip address add ADDRESS/32 dev lo`, or `/128`.
    static byte[] addAddress(InetAddress address) {
        byte[] bytes = address.getAddress();
        return Netlink.message(RTM_NEWADDR, Netlink.CREATE_EXCLUSIVE)
                .head(family(address), bytes.length * 8, 0, 0)
                .headNumber(LOOPBACK_INDEX)
                .attribute(1, bytes)
                .attribute(2, bytes)
                .finish();
    }

    /// `ip route add local default dev lo src SOURCE`: every address of the family is this host.
    static byte[] everythingIsLocal(InetAddress source) {
        boolean four = source instanceof Inet4Address;
        Netlink.Message message =
                Netlink.message(RTM_NEWROUTE, Netlink.CREATE_EXCLUSIVE)
                        .head(family(source), 0, 0, 0)
                        .head(TABLE_LOCAL, PROTOCOL_BOOT, four ? SCOPE_HOST : 0, TYPE_LOCAL)
                        .headNumber(0)
                        .attribute(ATTRIBUTE_OIF, Netlink.hostOrder(LOOPBACK_INDEX));
        if (four) {
            message.attribute(ATTRIBUTE_PREFSRC, source.getAddress());
        }
        return message.finish();
    }

    private static int family(InetAddress address) {
        return address instanceof Inet4Address ? Sockets.AF_INET : Sockets.AF_INET6;
    }
}
