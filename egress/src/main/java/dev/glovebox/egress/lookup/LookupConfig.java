package dev.glovebox.egress.lookup;

import dev.glovebox.egress.EgressException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;

/// Where the worker finds the addresses of names.
///
/// @param nameServers asked in this order, at most 8; empty: those of `resolvConf`
/// @param resolvConf the host's `resolv.conf(5)`
/// @param hosts the host's `hosts(5)`
/// @param limits what lookups cost at most
public record LookupConfig(
        List<InetSocketAddress> nameServers, Path resolvConf, Path hosts, LookupLimits limits) {
    private static final int MAX_SERVERS = 8;

    /// By the files of the host.
    public static final LookupConfig DEFAULT =
            new LookupConfig(
                    List.of(),
                    Path.of("/etc/resolv.conf"),
                    Path.of("/etc/hosts"),
                    LookupLimits.DEFAULT);

    public LookupConfig {
        nameServers = List.copyOf(nameServers);
        if (nameServers.size() > MAX_SERVERS) {
            throw new EgressException("more than " + MAX_SERVERS + " name servers");
        }
        if (nameServers.stream().anyMatch(InetSocketAddress::isUnresolved)) {
            throw new EgressException("a name server is given by its address");
        }
    }

    /// The same with these name servers and not the host's.
    public LookupConfig withNameServers(List<InetSocketAddress> servers) {
        return new LookupConfig(servers, resolvConf, hosts, limits);
    }

    /// The same with other files of the host.
    public LookupConfig withFiles(Path otherResolvConf, Path otherHosts) {
        return new LookupConfig(nameServers, otherResolvConf, otherHosts, limits);
    }

    /// The same with other limits.
    public LookupConfig withLimits(LookupLimits other) {
        return new LookupConfig(nameServers, resolvConf, hosts, other);
    }
}
