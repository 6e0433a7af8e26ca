package dev.glovebox.linux.net;

import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.NamespaceCalls;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The sockets inside a [NetworkNamespace] at which every connection and every DNS datagram of that
/// namespace arrives, as file descriptors of this process.
///
/// All are non-blocking and close-on-exec. The TCP ones are listening; the local address of an
/// accepted connection is the address the client meant. Who takes a descriptor closes it. A host
/// without IPv6 has one of each kind, others two, IPv4 first.
///
/// @param tcp listening stream sockets
/// @param dns bound datagram sockets; the IPv4 one reports original destinations
///   (`IP_RECVORIGDSTADDR`)
public record CatchAll(List<Integer> tcp, List<Integer> dns) {
    /// The IPv4 address every sandbox knows as its name server, and the source of its connections.
    public static final InetAddress ADDRESS_4 = InetAddress.ofLiteral("198.18.0.1");

    /// The IPv6 twin of [#ADDRESS_4].
    public static final InetAddress ADDRESS_6 = InetAddress.ofLiteral("fd67:6c62::1");

    /// Mark of every packet that our sockets send. A process without `CAP_NET_ADMIN` over the
    /// namespace cannot set it (`SO_MARK`, socket(7)), so it tells our replies from the sandbox's
    /// packets.
    private static final int MARK = 0x676c;

    /// Both ports are below 1024, so no process of the sandbox can be bound to them first.
    private static final int TCP_PORT = 1;

    private static final int DNS_PORT = 53;
    private static final int BACKLOG = 256;
    private static final int DESTINATION_UNREACHABLE = 3;
    private static final int TIME_EXCEEDED = 11;
    private static final int DESTINATION_UNREACHABLE_6 = 1;
    private static final int PACKET_TOO_BIG_6 = 2;

    /// The rules of `nf_tables`. First what must not be caught: our own replies, and the sandbox's
    /// traffic with itself. Then TCP and DNS are given to our sockets; `tproxy` leaves packets of
    /// established connections alone. ICMP errors pass so that what follows is heard: everything
    /// else is refused at once.
    static List<byte[]> rules() {
        return FirewallMessages.of(
                List.of(
                        rule().mark(MARK).accept(),
                        rule().toLoopback4().accept(),
                        rule().to(InetAddress.ofLiteral("::1")).accept(),
                        rule().family4().tcp().give(ADDRESS_4, TCP_PORT).accept(),
                        rule().family6().tcp().give(ADDRESS_6, TCP_PORT).accept(),
                        rule().family4().udp(DNS_PORT).give(ADDRESS_4, DNS_PORT).accept(),
                        rule().to(ADDRESS_6).udp(DNS_PORT).give(ADDRESS_6, DNS_PORT).accept(),
                        rule().tcp().accept(),
                        rule().family4().icmp(DESTINATION_UNREACHABLE).accept(),
                        rule().family4().icmp(TIME_EXCEEDED).accept(),
                        rule().family6().icmp6(DESTINATION_UNREACHABLE_6).accept(),
                        rule().family6().icmp6(PACKET_TOO_BIG_6).accept(),
                        rule().reject()));
    }

    private static FirewallMessages.Rule rule() {
        return new FirewallMessages.Rule();
    }

    /// Whether this kernel runs IPv6 at all.
    static boolean hasIpv6() {
        return Files.exists(Path.of("/proc/net/if_inet6"));
    }

    /// Brings up the loopback interface, sets the rules and opens the sockets in the calling
    /// thread's namespace.
    static CatchAll open() {
        List<InetAddress> addresses =
                hasIpv6() ? List.of(ADDRESS_4, ADDRESS_6) : List.of(ADDRESS_4);
        List<byte[]> requests = new ArrayList<>(List.of(RouteMessages.loopbackUp()));
        for (InetAddress address : addresses) {
            requests.add(RouteMessages.addAddress(address));
            requests.add(RouteMessages.everythingIsLocal(address));
        }
        Netlink.oneByOne(Netlink.ROUTE, requests);
        Netlink.atOnce(Netlink.NETFILTER, rules());
        List<Integer> tcp = new ArrayList<>();
        List<Integer> dns = new ArrayList<>();
        try {
            for (InetAddress address : addresses) {
                tcp.add(transparent(Sockets.SOCK_STREAM, address));
                Sockets.bind(tcp.getLast(), address, TCP_PORT);
                Sockets.listen(tcp.getLast(), BACKLOG);
                dns.add(transparent(Sockets.SOCK_DGRAM, address));
                Sockets.bind(dns.getLast(), address, DNS_PORT);
            }
            Sockets.option(dns.getFirst(), Sockets.SOL_IP, Sockets.IP_RECVORIGDSTADDR, 1);
            return new CatchAll(List.copyOf(tcp), List.copyOf(dns));
        } catch (LinuxException e) {
            tcp.forEach(NamespaceCalls::close);
            dns.forEach(NamespaceCalls::close);
            throw e;
        }
    }

    private static int transparent(int type, InetAddress address) {
        boolean four = address instanceof Inet4Address;
        int fd =
                Sockets.socket(
                        four ? Sockets.AF_INET : Sockets.AF_INET6, type | Sockets.SOCK_NONBLOCK, 0);
        try {
            if (four) {
                Sockets.option(fd, Sockets.SOL_IP, Sockets.IP_TRANSPARENT, 1);
            } else {
                Sockets.option(fd, Sockets.SOL_IPV6, Sockets.IPV6_TRANSPARENT, 1);
                Sockets.option(fd, Sockets.SOL_IPV6, Sockets.IPV6_V6ONLY, 1);
            }
            Sockets.option(fd, Sockets.SOL_SOCKET, Sockets.SO_MARK, MARK);
            return fd;
        } catch (LinuxException e) {
            NamespaceCalls.close(fd);
            throw e;
        }
    }

    /// Closes every descriptor; for an owner that could not hand them on.
    public void close() {
        tcp.forEach(NamespaceCalls::close);
        dns.forEach(NamespaceCalls::close);
    }
}
