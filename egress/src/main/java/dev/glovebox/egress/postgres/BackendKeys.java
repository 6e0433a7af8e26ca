package dev.glovebox.egress.postgres;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The keys by which running sessions of one door can be cancelled (`BackendKeyData`): a cancel
/// request travels on a connection of its own, and only one for a session of this door may.
/// Thread-safe.
public final class BackendKeys {
    private final Set<String> keys = ConcurrentHashMap.newKeySet();

    void add(String key) {
        keys.add(key);
    }

    void remove(String key) {
        keys.remove(key);
    }

    boolean has(String key) {
        return keys.contains(key);
    }
}
