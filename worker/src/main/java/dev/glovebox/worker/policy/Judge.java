package dev.glovebox.worker.policy;

import dev.glovebox.protocol.egress.EgressPolicy;

/// The door of a sandbox, as far as it is told what to judge by.
@FunctionalInterface
public interface Judge {
    /// Judges by another policy from now on.
    ///
    /// @param by who wants that
    /// @throws dev.glovebox.egress.EgressException if it cannot, and judges as before
    void judgeBy(EgressPolicy policy, String by);
}
