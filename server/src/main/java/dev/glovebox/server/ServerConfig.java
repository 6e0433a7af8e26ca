package dev.glovebox.server;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;

/// How a control plane is set up.
///
/// @param dataDirectory where `control.db` and `credentials.json` are; made when missing
/// @param listen address and port; port 0 picks a free one
/// @param leaseTtl how long a worker owns an item after a heartbeat, and how long it may take from
///   acknowledging an item to its first heartbeat
/// @param reapIdleAfter how long a session may be idle at the end of a turn before its worker is
///   asked to leave; longer than the minute after which workers leave by themselves
/// @param retryPause the first pause after a passing fault of the agent loop; it doubles with each
/// @param ping how often a silent event stream gets a sign of life
public record ServerConfig(
        Path dataDirectory,
        InetSocketAddress listen,
        Duration leaseTtl,
        Duration reapIdleAfter,
        Duration retryPause,
        Duration ping) {

    /// Checks the values.
    public ServerConfig {
        positive("lease-ttl", leaseTtl);
        positive("reap-idle-after", reapIdleAfter);
        positive("retry-pause", retryPause);
        positive("ping", ping);
    }

    /// Everything but the place at its default: lease 300 s, reaping after 180 s, a first retry
    /// after 2 s, ping every 15 s.
    public ServerConfig(Path dataDirectory, InetSocketAddress listen) {
        this(
                dataDirectory,
                listen,
                Duration.ofSeconds(300),
                Duration.ofSeconds(180),
                Duration.ofSeconds(2),
                Duration.ofSeconds(15));
    }

    private static void positive(String key, Duration value) {
        if (!value.isPositive()) {
            throw new IllegalArgumentException(key + ": must be longer than zero, is " + value);
        }
    }

    /// The same with another lease.
    public ServerConfig withLeaseTtl(Duration ttl) {
        return new ServerConfig(dataDirectory, listen, ttl, reapIdleAfter, retryPause, ping);
    }

    /// The same with another reaping time.
    public ServerConfig withReapIdleAfter(Duration time) {
        return new ServerConfig(dataDirectory, listen, leaseTtl, time, retryPause, ping);
    }

    /// The same with another first pause.
    public ServerConfig withRetryPause(Duration time) {
        return new ServerConfig(dataDirectory, listen, leaseTtl, reapIdleAfter, time, ping);
    }

    /// The same with another ping.
    public ServerConfig withPing(Duration time) {
        return new ServerConfig(dataDirectory, listen, leaseTtl, reapIdleAfter, retryPause, time);
    }
}
