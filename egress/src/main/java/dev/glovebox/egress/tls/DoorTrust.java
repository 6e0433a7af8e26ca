package dev.glovebox.egress.tls;

import dev.glovebox.egress.EgressException;
import dev.glovebox.egress.ssh.HostKey;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.InstantSource;
import java.util.Collection;

/// Whom the sandbox of one door believes, and whom the door believes.
///
/// @param leaves answers as a host
/// @param roots by which servers are verified
/// @param files to be shown inside
/// @param hostKey by which SSH clients inside know the door
public record DoorTrust(Leaves leaves, TrustedRoots roots, TrustFiles files, HostKey hostKey)
        implements AutoCloseable {
    private static final int KEPT_LEAVES = 256;

    /// Makes an authority of its own for the door.
    ///
    /// @throws EgressException if that cannot be had, and then there is no door: a connection that
    ///   should be judged is never passed through instead
    public static DoorTrust create(String door, Path directory, TrustedRoots roots) {
        InstantSource clock = InstantSource.system();
        Authority authority = Authority.create(door, clock.instant());
        try {
            Leaves leaves = new Leaves(authority, KEPT_LEAVES, clock);
            return new DoorTrust(
                    leaves, roots, TrustFiles.write(directory, authority, roots), HostKey.create());
        } catch (GeneralSecurityException e) {
            throw new EgressException("door \"" + door + "\" gets no keys", e);
        }
    }

    /// Has SSH clients inside believe that the door is these hosts.
    public void vouchOverSsh(Collection<String> hosts) {
        files.putKnownHosts(hosts.stream().sorted().map(hostKey::knownHost).toList());
    }

    /// Answers as nobody any more, and removes the files.
    @Override
    public void close() {
        leaves.close();
        files.remove();
    }
}
