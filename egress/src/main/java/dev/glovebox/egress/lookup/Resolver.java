package dev.glovebox.egress.lookup;

import dev.glovebox.protocol.egress.HostName;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;

/// How the worker finds the addresses of a name that a rule allows. Never asked about any other
/// name.
@FunctionalInterface
public interface Resolver {
    /// The addresses of the name, best first. Blocks, within a deadline of its own.
    ///
    /// @throws java.net.UnknownHostException if there are none
    /// @throws IOException if it could not be found out; the message says why, for operators
    List<InetAddress> resolve(HostName name) throws IOException;
}
