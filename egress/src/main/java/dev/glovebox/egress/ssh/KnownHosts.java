package dev.glovebox.egress.ssh;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.sshd.client.config.hosts.KnownHostEntry;
import org.apache.sshd.client.keyverifier.ServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntryResolver;

/// The keys that one host may have. A key that is not among them is refused, and so is everything
/// about a host that has none; nothing is ever learned.
///
/// @param keys that the file has for the host, revoked ones left out
record KnownHosts(List<PublicKey> keys) implements ServerKeyVerifier {
    private static final String REVOKED = "revoked";

    KnownHosts {
        keys = List.copyOf(keys);
    }

    /// Reads the file. Lines of certificate authorities do not count.
    ///
    /// @throws IOException if it cannot be read or a line of the host is not one
    static KnownHosts of(Path file, String host, int port) throws IOException {
        List<PublicKey> keys = new ArrayList<>();
        List<PublicKey> revoked = new ArrayList<>();
        for (KnownHostEntry entry : KnownHostEntry.readKnownHostEntries(file)) {
            if (!entry.isHostMatch(host, port)) {
                continue;
            }
            String marker = entry.getMarker() == null ? "" : entry.getMarker();
            if (marker.isEmpty() || marker.equals(REVOKED)) {
                (marker.isEmpty() ? keys : revoked).add(key(entry));
            }
        }
        keys.removeIf(key -> contains(revoked, key));
        return new KnownHosts(keys);
    }

    private static PublicKey key(KnownHostEntry entry) throws IOException {
        try {
            return entry.getKeyEntry().resolvePublicKey(null, PublicKeyEntryResolver.FAILING);
        } catch (GeneralSecurityException e) {
            throw new IOException("a key in the known-hosts file cannot be read", e);
        }
    }

    /// The types of the keys, so that the server shows one of these and not one we never saw.
    Set<String> types() {
        return keys.stream().map(KeyUtils::getKeyType).collect(Collectors.toSet());
    }

    @Override
    public boolean verifyServerKey(ClientSession session, SocketAddress address, PublicKey key) {
        return has(key);
    }

    boolean has(PublicKey key) {
        return contains(keys, key);
    }

    private static boolean contains(List<PublicKey> keys, PublicKey key) {
        return keys.stream().anyMatch(each -> KeyUtils.compareKeys(each, key));
    }
}
