package dev.glovebox.egress;

import dev.glovebox.egress.lookup.Resolver;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// A fake internet, new for every test: what a worker would see outside, without a packet on the
/// machine's own network.
///
/// ```
/// zone "host": the worker, its doors and its own listeners     192.0.2.2   fd99::2
///    |  one veth pair, default route
/// zone "out": everything else                                  192.0.2.1   fd99::1
///    203.0.113.10  2001:db8::10  good.test      203.0.113.53 the name server
///    203.0.113.66  2001:db8::66  evil.test      10.0.0.5     intranet
///    169.254.169.254  fd00:ec2::254  the metadata services of clouds
/// ```
///
/// Every packet that reaches "out" is counted by nftables before anything else sees it, so a test
/// can say that nothing came. The doors live in this JVM, their sockets in zone "host": a socket
/// belongs to the namespace of the thread that makes it, and the threads of [Doors] are born where
/// its first door is opened.
final class Internet implements BeforeEachCallback, AfterEachCallback {
    static final String GOOD = "203.0.113.10";
    static final String GOOD_6 = "2001:db8::10";
    static final String EVIL = "203.0.113.66";
    static final String EVIL_6 = "2001:db8::66";
    static final String NAMES = "203.0.113.53";
    static final String INTRANET = "10.0.0.5";
    static final String METADATA = "169.254.169.254";
    static final String METADATA_6 = "fd00:ec2::254";
    static final String HOST = "192.0.2.2";
    static final String HOST_6 = "fd99::2";

    private static final Pattern DIALLED = Pattern.compile("([0-9a-f.:]+) \\. (\\d+)");
    private static final Pattern COUNTED = Pattern.compile("counter packets (\\d+)");

    private final Deque<AutoCloseable> closing = new ArrayDeque<>();
    private final Map<HostName, List<InetAddress>> names = new ConcurrentHashMap<>();
    private Zone host;
    private Zone out;

    @Override
    public void beforeEach(ExtensionContext context) throws Exception {
        out = closedLater(new Zone());
        host = closedLater(new Zone());
        host.script(
                """
                ip link set lo up
                sysctl -qw net.ipv6.conf.default.accept_dad=0
                ip link add up0 type veth peer name down0 netns %d
                """
                        .formatted(out.pid()));
        out.script(
                """
                ip link set lo up
                sysctl -qw net.ipv6.conf.down0.accept_dad=0
                for a in 203.0.113.10 203.0.113.66 203.0.113.53 10.0.0.5 169.254.169.254; do ip addr add $a/32 dev lo; done
                for a in 2001:db8::10 2001:db8::66 fd00:ec2::254; do ip -6 addr add $a/128 dev lo nodad; done
                ip addr add 192.0.2.1/30 dev down0
                ip -6 addr add fd99::1/64 dev down0 nodad
                ip link set down0 up
                nft add table inet watch
                nft add chain inet watch arrivals '{ type filter hook prerouting priority -400; }'
                nft add rule inet watch arrivals iifname down0 meta l4proto != ipv6-icmp counter
                nft add set inet watch dialled4 '{ type ipv4_addr . inet_service; }'
                nft add set inet watch dialled6 '{ type ipv6_addr . inet_service; }'
                nft add rule inet watch arrivals iifname down0 'tcp flags & (syn|ack) == syn' add @dialled4 '{ ip daddr . tcp dport }'
                nft add rule inet watch arrivals iifname down0 'tcp flags & (syn|ack) == syn' add @dialled6 '{ ip6 daddr . tcp dport }'
                """);
        host.script(
                """
                ip addr add 192.0.2.2/30 dev up0
                ip -6 addr add fd99::2/64 dev up0 nodad
                ip link set up0 up
                ip route add default via 192.0.2.1
                ip -6 route add default via fd99::1
                """);
        name("good.test", GOOD);
        name("evil.test", EVIL);
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        while (!closing.isEmpty()) {
            closing.pop().close();
        }
    }

    /// Closes it after the test, the latest first.
    <T extends AutoCloseable> T closedLater(T thing) {
        closing.push(thing);
        return thing;
    }

    /// What the name resolves to from now on.
    void name(String name, String... addresses) {
        names.put(
                HostName.parse(name),
                List.of(addresses).stream().map(InetAddress::ofLiteral).toList());
    }

    /// What the worker's lookups find.
    Resolver resolver() {
        return name -> {
            List<InetAddress> found = names.get(name);
            if (found == null) {
                throw new UnknownHostException(name.text());
            }
            return found;
        };
    }

    /// Doors whose outer side is zone "host"; open them with [#door]. Doors of this internet that
    /// tell which names are looked up.
    Doors doors(Path directory, List<HostName> lookedUp) {
        Resolver resolver = resolver();
        return doors(
                new EgressConfig(
                        directory,
                        DoorLimits.DEFAULT,
                        name -> {
                            lookedUp.add(name);
                            return resolver.resolve(name);
                        }));
    }

    Doors doors(EgressConfig config) {
        return closedLater(host.enter(() -> Doors.open(config)));
    }

    Door door(Doors doors, String name, EgressPolicy policy) {
        return host.enter(() -> doors.open(name, policy));
    }

    /// A web server on the fake internet, at port 80 unless the address is taken.
    FakeWeb web(String address) {
        return closedLater(out.enter(() -> new FakeWeb(InetAddress.ofLiteral(address), 80)));
    }

    /// A listener of the worker's own machine.
    FakeWeb webOfHost(String address, int port) {
        return closedLater(host.enter(() -> new FakeWeb(InetAddress.ofLiteral(address), port)));
    }

    Zone out() {
        return out;
    }

    Zone host() {
        return host;
    }

    /// A name server on the fake internet that says what a test wants.
    FakeNameServer nameServer() {
        return closedLater(out.enter(() -> new FakeNameServer(InetAddress.ofLiteral(NAMES), 53)));
    }

    /// Where the worker's machine has begun a TCP connection to so far, `ADDRESS PORT`, seen from
    /// outside.
    Set<String> dialled() {
        Set<String> dialled = new HashSet<>();
        for (String set : List.of("dialled4", "dialled6")) {
            DIALLED.matcher(out.script("nft list set inet watch " + set))
                    .results()
                    .forEach(hit -> dialled.add(hit.group(1) + " " + hit.group(2)));
        }
        return dialled;
    }

    /// Packets that have left the worker's machine so far; neighbour discovery does not count.
    long packets() throws IOException {
        Matcher matcher = COUNTED.matcher(out.script("nft list chain inet watch arrivals"));
        if (!matcher.find()) {
            throw new IOException("nothing counts");
        }
        return Long.parseLong(matcher.group(1));
    }
}
