package dev.glovebox.egress;

import java.nio.file.Path;

/// What all doors of one worker share.
///
/// @param directory where namespaces are pinned; made if missing, with mode 0700, and held by one
///   process at a time
/// @param limits of each door
/// @param resolver finds the addresses of allowed names
public record EgressConfig(Path directory, DoorLimits limits, Resolver resolver) {
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
}
