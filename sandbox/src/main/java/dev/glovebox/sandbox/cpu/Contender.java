package dev.glovebox.sandbox.cpu;

import dev.glovebox.linux.cgroup.Cgroup;

/// A sandbox, as far as it wants processors.
///
/// @param group its control group
/// @param rank of the same group
/// @param cpus processors' worth of time that it may use
/// @param paused whether it stands still
public record Contender(Cgroup group, Rank rank, double cpus, boolean paused) {}
