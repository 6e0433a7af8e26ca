package dev.glovebox.egress;

import dev.glovebox.egress.audit.Audit;
import dev.glovebox.egress.lookup.Resolver;
import dev.glovebox.egress.onward.OnwardConfig;
import java.nio.file.Path;
import java.util.Optional;

/// What all doors of one worker share.
///
/// @param directory where namespaces are pinned; made if missing, with mode 0700, and held by one
///   process at a time
/// @param limits of each door
/// @param onward how allowed connections are made
/// @param resolver finds the addresses of allowed names; empty = the name servers of `onward`
/// @param roots PEM file of the certificate authorities that servers are verified by, and of lists
///   of revoked certificates; empty = the authorities of this host
/// @param audit where records go
public record EgressConfig(
        Path directory,
        DoorLimits limits,
        OnwardConfig onward,
        Optional<Resolver> resolver,
        Optional<Path> roots,
        Audit audit) {
    /// With another source of addresses than name servers, and the authorities of this host,
    /// without records.
    public EgressConfig(Path directory, DoorLimits limits, Resolver resolver) {
        this(
                directory,
                limits,
                OnwardConfig.DEFAULT,
                Optional.of(resolver),
                Optional.empty(),
                Audit.NONE);
    }

    public EgressConfig {
        if (!directory.isAbsolute()) {
            throw new EgressException("egress directory " + directory + " is not absolute");
        }
    }

    /// Default limits and the name servers of the host.
    public static EgressConfig at(Path directory) {
        return new EgressConfig(
                directory.toAbsolutePath().normalize(),
                DoorLimits.DEFAULT,
                OnwardConfig.DEFAULT,
                Optional.empty(),
                Optional.empty(),
                Audit.NONE);
    }

    /// The same with other limits of each door.
    public EgressConfig withLimits(DoorLimits other) {
        return new EgressConfig(directory, other, onward, resolver, roots, audit);
    }

    /// The same by another way out.
    public EgressConfig withOnward(OnwardConfig other) {
        return new EgressConfig(directory, limits, other, resolver, roots, audit);
    }

    /// The same with other authorities.
    public EgressConfig withRoots(Path file) {
        return new EgressConfig(directory, limits, onward, resolver, Optional.of(file), audit);
    }

    /// The same with records.
    public EgressConfig withAudit(Audit log) {
        return new EgressConfig(directory, limits, onward, resolver, roots, log);
    }
}
