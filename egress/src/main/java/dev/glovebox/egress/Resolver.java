package dev.glovebox.egress;

import dev.glovebox.protocol.egress.HostName;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/// How the worker finds the addresses of a name that a rule allows. Never asked about any other
/// name.
@FunctionalInterface
public interface Resolver {
    /// The resolver of the host (`getaddrinfo(3)`).
    Resolver SYSTEM = name -> List.of(InetAddress.getAllByName(name.text()));

    /// The addresses of the name, best first. Blocks.
    ///
    /// @throws UnknownHostException if there are none
    List<InetAddress> resolve(HostName name) throws UnknownHostException;
}
