package dev.glovebox.sandbox;

import dev.glovebox.linux.mount.MountInfo;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What a sandbox was seen to be, from inside, before its first command.
///
/// @param runtime it runs under
/// @param state what pid 1 read of itself in its `/proc`: `CapEff`, `NoNewPrivs`, `Seccomp`, `Uid`,
///   `ns/net` and so on; and `landlock`, the version of it in force
/// @param mounts everything mounted inside
/// @param took how long it took to look and compare
public record Attestation(
        RuntimeName runtime, Map<String, String> state, List<MountInfo> mounts, Duration took) {
    public Attestation {
        state = java.util.Collections.unmodifiableMap(new TreeMap<>(state));
        mounts = List.copyOf(mounts);
    }
}
