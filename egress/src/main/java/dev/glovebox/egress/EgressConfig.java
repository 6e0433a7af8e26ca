package dev.glovebox.egress;

import dev.glovebox.egress.audit.Audit;
import dev.glovebox.egress.lookup.Resolver;
import dev.glovebox.egress.onward.OnwardConfig;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

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
/// @param contact whom a refused program is told to ask, 1 to 200 printable characters
public record EgressConfig(
        Path directory,
        DoorLimits limits,
        OnwardConfig onward,
        Optional<Resolver> resolver,
        Optional<Path> roots,
        Audit audit,
        String contact) {
    /// Whom a refused program is told to ask unless somebody says otherwise.
    public static final String OPERATOR = "the operator of this Glovebox worker";

    private static final Pattern CONTACT = Pattern.compile("[ -~]{1,200}");

    /// With another source of addresses than name servers, and the authorities of this host,
    /// without records.
    public EgressConfig(Path directory, DoorLimits limits, Resolver resolver) {
        this(
                directory,
                limits,
                OnwardConfig.DEFAULT,
                Optional.of(resolver),
                Optional.empty(),
                Audit.NONE,
                OPERATOR);
    }

    public EgressConfig {
        if (!directory.isAbsolute()) {
            throw new EgressException("egress directory " + directory + " is not absolute");
        }
        checkContact(contact);
    }

    /// Whether a refused program can be told to ask so.
    ///
    /// @return the same
    /// @throws EgressException if it is not 1 to 200 printable characters
    public static String checkContact(String contact) {
        if (!CONTACT.matcher(contact).matches()) {
            throw new EgressException("contact is not 1 to 200 printable characters");
        }
        return contact;
    }

    /// Default limits and the name servers of the host.
    public static EgressConfig at(Path directory) {
        return new EgressConfig(
                directory.toAbsolutePath().normalize(),
                DoorLimits.DEFAULT,
                OnwardConfig.DEFAULT,
                Optional.empty(),
                Optional.empty(),
                Audit.NONE,
                OPERATOR);
    }

    /// The same with other limits of each door.
    public EgressConfig withLimits(DoorLimits other) {
        return new EgressConfig(directory, other, onward, resolver, roots, audit, contact);
    }

    /// The same by another way out.
    public EgressConfig withOnward(OnwardConfig other) {
        return new EgressConfig(directory, limits, other, resolver, roots, audit, contact);
    }

    /// The same with other authorities.
    public EgressConfig withRoots(Path file) {
        return new EgressConfig(
                directory, limits, onward, resolver, Optional.of(file), audit, contact);
    }

    /// The same with records.
    public EgressConfig withAudit(Audit log) {
        return new EgressConfig(directory, limits, onward, resolver, roots, log, contact);
    }

    /// The same with somebody else to ask.
    public EgressConfig withContact(String other) {
        return new EgressConfig(directory, limits, onward, resolver, roots, audit, other);
    }
}
