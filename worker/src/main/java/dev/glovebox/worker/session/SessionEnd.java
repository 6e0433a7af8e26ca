package dev.glovebox.worker.session;

/// Why a worker leaves a session.
public enum SessionEnd {
    /// Its turn ended and nothing has happened for a while.
    IDLE,
    /// The session itself is over or gone.
    TERMINATED,
    /// The work item is no longer to be served: its lease has ended.
    LEASE_ENDED,
    /// The control plane refuses the session's events for good.
    REFUSED,
    /// The worker shuts down, and no call was cut off.
    DRAINED,
    /// The worker shuts down and could wait no longer; a running call was cut off.
    ABANDONED
}
