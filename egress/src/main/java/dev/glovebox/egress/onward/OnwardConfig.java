package dev.glovebox.egress.onward;

import dev.glovebox.egress.lookup.LookupConfig;
import java.util.Optional;

/// How a worker gets from its doors to what their policies allow.
///
/// @param lookups where it finds the addresses of names
/// @param proxy to dial through
public record OnwardConfig(LookupConfig lookups, Optional<UpstreamProxy> proxy) {
    /// Straight, by the files of the host.
    public static final OnwardConfig DEFAULT =
            new OnwardConfig(LookupConfig.DEFAULT, Optional.empty());

    /// The same with another source of addresses.
    public OnwardConfig withLookups(LookupConfig other) {
        return new OnwardConfig(other, proxy);
    }

    /// The same through a proxy.
    public OnwardConfig withProxy(UpstreamProxy through) {
        return new OnwardConfig(lookups, Optional.of(through));
    }
}
