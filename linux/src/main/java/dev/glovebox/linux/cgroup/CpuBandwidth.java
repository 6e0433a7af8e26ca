package dev.glovebox.linux.cgroup;

/// How processors' worth of time is told to the kernel: so much time in each period (CFS bandwidth
/// control).
///
/// The period is a tenth of the kernel's usual one. A group that wants more than its share runs
/// until its quota is used up and then stands for the rest of the period, and while it runs it
/// stands in the way of its neighbours; with short periods that is for a few milliseconds, which is
/// what a neighbour's call waits at worst.
///
/// @param quotaMicros time in each period, at least 1,000
/// @param periodMicros 10,000, or more where the quota would be too small
public record CpuBandwidth(long quotaMicros, long periodMicros) {
    private static final long PERIOD = 10_000;
    private static final long LEAST_QUOTA = 1_000;

    /// For this many processors' worth of time, such as 0.5.
    public static CpuBandwidth of(double cpus) {
        long period = Math.max(PERIOD, Math.round(LEAST_QUOTA / cpus));
        return new CpuBandwidth(Math.max(LEAST_QUOTA, Math.round(cpus * period)), period);
    }
}
