package dev.glovebox.egress.redis;

import dev.glovebox.protocol.Secret;
import java.util.Optional;
import java.util.Set;

/// As whom the door logs in at a Redis server, and what the sandbox may ask it.
///
/// @param user the ACL user; empty for the default one (`requirepass`)
/// @param password its password
/// @param commands upper case, the only ones given besides those of the connection itself; empty
///   for any
public record RedisLogin(Optional<String> user, Secret password, Set<String> commands) {
    public RedisLogin {
        commands = Set.copyOf(commands);
    }
}
