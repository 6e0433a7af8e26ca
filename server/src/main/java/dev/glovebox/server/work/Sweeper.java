package dev.glovebox.server.work;

import dev.glovebox.server.store.Ticks;
import java.time.Clock;
import java.time.Duration;

/// Looks after the queue at a steady pace: leases that ran out, starts that never came, workers
/// that hold a session nobody talks to, sessions whose worker left too early.
public final class Sweeper implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Sweeper.class.getName());

    private final WorkQueue queue;
    private final Duration idleFor;
    private final Clock clock;
    private final Duration pace;
    private final Thread thread;

    /// @param idleFor how long a session may be idle before its worker is asked to leave
    public Sweeper(WorkQueue queue, Duration idleFor, Clock clock) {
        this.queue = queue;
        this.clock = clock;
        this.idleFor = idleFor;
        Duration shortest = idleFor.compareTo(queue.leaseTtl()) < 0 ? idleFor : queue.leaseTtl();
        Duration tenth = shortest.dividedBy(10);
        this.pace = tenth.compareTo(Duration.ofSeconds(1)) > 0 ? Duration.ofSeconds(1) : tenth;
        this.thread = Thread.ofVirtual().name("work sweeper").start(this::run);
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(pace);
                try {
                    queue.sweep(idleFor, Ticks.text(clock.instant()));
                } catch (RuntimeException e) {
                    LOG.log(System.Logger.Level.ERROR, "the sweep of the work queue failed", e);
                }
            }
        } catch (InterruptedException _) {
            // close() ends the sweeping
        }
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
