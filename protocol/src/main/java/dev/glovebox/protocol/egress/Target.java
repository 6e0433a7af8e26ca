package dev.glovebox.protocol.egress;

import java.util.List;

/// Which hosts on which ports.
///
/// @param host which hosts
/// @param ports on which ports, not empty
public record Target(HostPattern host, List<PortRange> ports) {
    public Target {
        ports = List.copyOf(ports);
        if (ports.isEmpty()) {
            throw new PolicyException("port is missing: a tcp rule must name one");
        }
    }

    /// Whether the destination is one of these.
    public boolean contains(Destination destination) {
        return containsPort(destination.port()) && host.matches(destination.host());
    }

    boolean containsPort(int port) {
        return ports.stream().anyMatch(range -> range.contains(port));
    }
}
