package dev.glovebox.egress;

import dev.glovebox.egress.audit.Audit;
import java.nio.file.Path;
import java.util.Optional;

/// What all doors of one worker share.
///
/// @param directory where namespaces are pinned; made if missing, with mode 0700, and held by one
///   process at a time
/// @param limits of each door
/// @param resolver finds the addresses of allowed names
/// @param roots PEM file of the certificate authorities that servers are verified by, and of lists
///   of revoked certificates; empty = the authorities of this host
/// @param audit where records go
public record EgressConfig(
        Path directory, DoorLimits limits, Resolver resolver, Optional<Path> roots, Audit audit) {
    /// With the authorities of this host, without records.
    public EgressConfig(Path directory, DoorLimits limits, Resolver resolver) {
        this(directory, limits, resolver, Optional.empty(), Audit.NONE);
    }

    public EgressConfig {
        if (!directory.isAbsolute()) {
            throw new EgressException("egress directory " + directory + " is not absolute");
        }
    }

    /// Default limits and the resolver of the host.
    public static EgressConfig at(Path directory) {
        return new EgressConfig(
                directory.toAbsolutePath().normalize(), DoorLimits.DEFAULT, Resolver.SYSTEM);
    }

    /// The same with other authorities.
    public EgressConfig withRoots(Path file) {
        return new EgressConfig(directory, limits, resolver, Optional.of(file), audit);
    }

    /// The same with records.
    public EgressConfig withAudit(Audit log) {
        return new EgressConfig(directory, limits, resolver, roots, log);
    }
}
