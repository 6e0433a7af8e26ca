package dev.glovebox.protocol.egress.learn;

import dev.glovebox.protocol.egress.Cidr;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.file.PolicyLint;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Puts hosts together that one pattern means.
///
/// Four names or more directly below one name become `*.NAME`, unless anybody can have a name
/// there, or it looks like a place where names are sold (`co.uk`). Four addresses or more of one
/// block of 256 (IPv6: of a /64) become that block.
final class Hosts {
    private static final int MANY = 4;
    private static final int BLOCK_4 = 24;
    private static final int BLOCK_6 = 64;

    /// The last label but one of a name that is sold below a country's: `co`, `com`, `net`.
    private static final int SHORT = 3;

    private Hosts() {}

    /// Each pattern with the hosts it stands for; together they stand for all.
    static SortedMap<String, Group> together(Collection<Host> hosts, boolean merge) {
        SortedMap<String, List<Host>> families =
                hosts.stream()
                        .sorted(Comparator.comparing(Host::text))
                        .collect(
                                Collectors.groupingBy(
                                        host -> merge ? family(host).orElse("") : "",
                                        TreeMap::new,
                                        Collectors.toList()));
        SortedMap<String, Group> groups = new TreeMap<>();
        families.forEach((family, members) -> {
            if (family.isEmpty() || members.size() < MANY) {
                members.forEach(
                        host -> put(groups, new Group(new HostPattern.Exact(host), List.of(host))));
            } else {
                put(groups, new Group(pattern(family), members));
            }
        });
        return groups;
    }

    /// Hosts that one pattern stands for.
    record Group(HostPattern pattern, List<Host> members) {}

    private static void put(SortedMap<String, Group> groups, Group group) {
        groups.put(group.pattern().text(), group);
    }

    private static HostPattern pattern(String family) {
        return family.contains("/")
                ? new HostPattern.Block(Cidr.parse(family))
                : HostPattern.parse(family);
    }

    /// The pattern that the host could be put under.
    private static Optional<String> family(Host host) {
        return switch (host) {
            case HostAddress address -> Optional.of(block(address.address()));
            case HostName name -> {
                String text = name.text();
                String above = text.substring(text.indexOf('.') + 1);
                String[] labels = above.split("\\.", -1);
                boolean sold = labels.length == 2 && labels[0].length() <= SHORT;
                yield labels.length < 2 || sold || PolicyLint.isShared(HostName.parse(above))
                        ? Optional.empty()
                        : Optional.of("*." + above);
            }
        };
    }

    private static String block(InetAddress address) {
        byte[] bytes = address.getAddress();
        int bits = bytes.length == 4 ? BLOCK_4 : BLOCK_6;
        for (int i = bits / 8; i < bytes.length; i++) {
            bytes[i] = 0;
        }
        try {
            return InetAddress.getByAddress(bytes).getHostAddress() + "/" + bits;
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has four or sixteen bytes", e);
        }
    }
}
