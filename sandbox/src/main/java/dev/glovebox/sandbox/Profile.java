package dev.glovebox.sandbox;

/// What programs inside a sandbox may do to the sandbox itself. None lets them do anything to the
/// host, to another sandbox or to the network.
public enum Profile {
    /// Uid 1000 without any capability over a root that is read-only; no debugger.
    STRICT,
    /// Uid 0 of the sandbox's own ids over a root layer of its own that can be written, so that a
    /// package manager works; debuggers too. Still no capability over mounts, network or devices.
    DEV,
    /// As root of a kernel of its own, under gVisor only: containers and namespaces inside.
    NESTED;
}
