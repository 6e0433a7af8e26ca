package dev.glovebox.worker.policy;

/// Where a worker's policies come from.
public sealed interface PolicySource permits PolicySource.Fixed, PolicyFiles {
    /// All of them as they are now.
    ///
    /// @throws dev.glovebox.protocol.egress.PolicyException with all that is wrong with them
    PolicyBook read();

    /// They never change.
    ///
    /// @param read what they are
    record Fixed(PolicyBook read) implements PolicySource {}
}
