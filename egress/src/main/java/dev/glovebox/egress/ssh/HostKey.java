package dev.glovebox.egress.ssh;

import dev.glovebox.egress.EgressException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.util.security.SecurityUtils;

/// The key by which a door shows itself to SSH clients inside: made with the door, held in memory,
/// gone with it.
public final class HostKey {
    private final KeyPair keys;

    private HostKey(KeyPair keys) {
        this.keys = keys;
    }

    /// Makes a new Ed25519 key.
    ///
    /// @throws EgressException if this Java cannot
    public static HostKey create() {
        try {
            return new HostKey(SecurityUtils.getKeyPairGenerator("Ed25519").generateKeyPair());
        } catch (GeneralSecurityException e) {
            throw new EgressException("no host key for ssh can be made", e);
        }
    }

    KeyPair keys() {
        return keys;
    }

    /// The line of a known-hosts file (sshd(8)) by which a client inside believes this door to be
    /// the host, on any port.
    public String knownHost(String host) {
        return host + ",[" + host + "]:* " + PublicKeyEntry.toString(keys.getPublic());
    }
}
