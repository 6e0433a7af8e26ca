package dev.glovebox.egress.onward;

import dev.glovebox.egress.EgressException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// How a worker gets from its doors to what their policies allow.
///
/// @param nameServers asked in this order, at most 8; empty: those of `resolvConf`
/// @param resolvConf the host's `resolv.conf(5)`
/// @param hosts the host's `hosts(5)`
/// @param proxy to dial through
/// @param lookups what lookups cost at most
public record OnwardConfig(
        List<InetSocketAddress> nameServers,
        Path resolvConf,
        Path hosts,
        Optional<UpstreamProxy> proxy,
        LookupLimits lookups) {
    private static final int MAX_SERVERS = 8;

    /// Directly, by the files of the host.
    public static final OnwardConfig DEFAULT =
            new OnwardConfig(
                    List.of(),
                    Path.of("/etc/resolv.conf"),
                    Path.of("/etc/hosts"),
                    Optional.empty(),
                    LookupLimits.DEFAULT);

    public OnwardConfig {
        nameServers = List.copyOf(nameServers);
        if (nameServers.size() > MAX_SERVERS) {
            throw new EgressException("more than " + MAX_SERVERS + " name servers");
        }
        if (nameServers.stream().anyMatch(InetSocketAddress::isUnresolved)) {
            throw new EgressException("a name server is given by its address");
        }
    }

    /// The same with these name servers and not the host's.
    public OnwardConfig withNameServers(List<InetSocketAddress> servers) {
        return new OnwardConfig(servers, resolvConf, hosts, proxy, lookups);
    }

    /// The same with other files of the host.
    public OnwardConfig withFiles(Path otherResolvConf, Path otherHosts) {
        return new OnwardConfig(nameServers, otherResolvConf, otherHosts, proxy, lookups);
    }

    /// The same through a proxy.
    public OnwardConfig withProxy(UpstreamProxy through) {
        return new OnwardConfig(nameServers, resolvConf, hosts, Optional.of(through), lookups);
    }

    /// The same with other limits.
    public OnwardConfig withLookups(LookupLimits limits) {
        return new OnwardConfig(nameServers, resolvConf, hosts, proxy, limits);
    }
}
