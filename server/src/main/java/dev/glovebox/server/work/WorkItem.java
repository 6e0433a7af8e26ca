package dev.glovebox.server.work;

import dev.glovebox.protocol.work.Heartbeat;
import dev.glovebox.protocol.work.WorkState;
import dev.glovebox.server.access.Caller;
import dev.glovebox.server.store.Ticks;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One item of a queue, and the rules of its life. Nothing here reads a clock or a database: every
/// transition takes the time as a stamp of the store and gives the item that comes out of it.
///
/// ```
/// queued --deliver--> queued, delivered --acknowledge--> starting --beat--> active
///   ^                      |  (delivered again after the poller's reclaim age)  |
///   '------ expire --------'--------------------------------------------------- '
/// starting | active --stop--> stopping --stop(force) | expire--> stopped
/// queued --stop--> stopped        any but stopped --stop(force)--> stopped
/// ```
///
/// A *round* is what lies between two stays in the queue. All deliveries of one round compete: the
/// first to acknowledge and the first to beat wins. A token of an earlier round has lost for good,
/// which is how a worker that slept through its lease is kept from taking the item back.
///
/// @param origin what never changes
public record WorkItem(
        Origin origin, WorkState state, Times times, Delivery delivery, Lease lease) {

    /// How long a lost answer to a heartbeat can still be asked for again.
    static final Duration REPEAT_WINDOW = Duration.ofSeconds(10);

    /// What never changes.
    ///
    /// @param metadata JSON text
    public record Origin(
            String id, String environmentId, String sessionId, String createdAt, String metadata) {}

    /// When the stations of its life were passed.
    public record Times(
            String queuedAt,
            @Nullable String acknowledgedAt,
            @Nullable String startedAt,
            @Nullable String stopRequestedAt,
            @Nullable String stoppedAt) {}

    /// To whom it was last handed out.
    ///
    /// @param number counts deliveries over the item's whole life
    /// @param base deliveries up to this number belong to earlier rounds
    /// @param at when, or `null` when it waits untouched
    public record Delivery(int number, int base, @Nullable String at, @Nullable String workerId) {}

    /// The worker's hold on it.
    ///
    /// @param heartbeat the exact text of the last answer
    /// @param previous the one before
    /// @param by credential of the last beat
    /// @param deadline when the hold ends without another beat
    public record Lease(
            @Nullable String heartbeat,
            @Nullable String previous,
            @Nullable String by,
            @Nullable String deadline) {
        static final Lease NONE = new Lease(null, null, null, null);
    }

    /// What became of a heartbeat.
    public sealed interface Beat {
        /// The lease is extended.
        record Extended(WorkItem item) implements Beat {}

        /// The answer to the same beat was lost; here it is again.
        record Repeated() implements Beat {}

        /// The item is ending; nothing is compared.
        record Ending() implements Beat {}

        /// Somebody else has the item, or nobody.
        record Lost() implements Beat {}
    }

    /// A new item.
    static WorkItem queued(Origin origin) {
        return new WorkItem(
                origin,
                WorkState.QUEUED,
                new Times(origin.createdAt(), null, null, null, null),
                new Delivery(0, 0, null, null),
                Lease.NONE);
    }

    /// Hands a queued item out.
    WorkItem deliver(String now, @Nullable String workerId) {
        must(WorkState.QUEUED);
        return new WorkItem(
                origin,
                state,
                times,
                new Delivery(delivery.number + 1, delivery.base, now, workerId),
                lease);
    }

    /// Takes a delivered item off the queue; empty when it is not there to be taken.
    Optional<WorkItem> acknowledge(Caller by, String now, Duration startDeadline) {
        if (outdated(by)) {
            return Optional.empty();
        }
        if (state == WorkState.STARTING && by instanceof Caller.Delivery token) {
            // the answer to the first acknowledgement was lost
            return token.delivery() == delivery.number ? Optional.of(this) : Optional.empty();
        }
        if (state != WorkState.QUEUED || delivery.at == null) {
            return Optional.empty();
        }
        return Optional.of(
                new WorkItem(
                        origin,
                        WorkState.STARTING,
                        new Times(times.queuedAt, now, null, null, null),
                        delivery,
                        new Lease(null, null, null, Ticks.plus(now, startDeadline))));
    }

    /// Judges a heartbeat. Values are compared as text, since the worker sends back the text it was
    /// given.
    Beat beat(Optional<String> expected, Caller by, String now, Duration ttl) {
        if (state.ending()) {
            return new Beat.Ending();
        }
        if (state == WorkState.QUEUED || outdated(by)) {
            return new Beat.Lost();
        }
        if (expected.isPresent()) {
            String want = expected.get().equals(Heartbeat.NONE) ? null : expected.get();
            if (!Objects.equals(want, lease.heartbeat)) {
                return repeats(want, by, now) ? new Beat.Repeated() : new Beat.Lost();
            }
        }
        String started = times.startedAt == null ? now : times.startedAt;
        return new Beat.Extended(
                new WorkItem(
                        origin,
                        WorkState.ACTIVE,
                        new Times(times.queuedAt, times.acknowledgedAt, started, null, null),
                        delivery,
                        new Lease(now, lease.heartbeat, by.credentialId(), Ticks.plus(now, ttl))));
    }

    /// Whether this beat was already recorded and only its answer was lost. Told by the token of
    /// the delivery; an environment key may be two workers.
    private boolean repeats(@Nullable String want, Caller by, String now) {
        return lease.heartbeat != null
                && by instanceof Caller.Delivery
                && by.credentialId().equals(lease.by)
                && Objects.equals(want, lease.previous)
                && Ticks.microsBetween(lease.heartbeat, now) < REPEAT_WINDOW.toNanos() / 1000;
    }

    /// Ends the attempt, gracefully or at once; empty when it is over already, or was lost by the
    /// caller.
    Optional<WorkItem> stop(boolean force, Caller by, String now) {
        if (state == WorkState.STOPPED || outdated(by)) {
            return Optional.empty();
        }
        return Optional.of(force || state == WorkState.QUEUED ? stopped(now) : stopping(now));
    }

    /// Asks the worker to leave.
    WorkItem stopping(String now) {
        if (state == WorkState.STOPPING) {
            return this;
        }
        return new WorkItem(
                origin,
                WorkState.STOPPING,
                new Times(times.queuedAt, times.acknowledgedAt, times.startedAt, now, null),
                delivery,
                lease);
    }

    /// Ends the attempt.
    WorkItem stopped(String now) {
        return new WorkItem(
                origin,
                WorkState.STOPPED,
                new Times(
                        times.queuedAt,
                        times.acknowledgedAt,
                        times.startedAt,
                        times.stopRequestedAt,
                        now),
                delivery,
                new Lease(lease.heartbeat, lease.previous, lease.by, null));
    }

    /// What happens when the deadline passes without a beat: the item goes back to the queue, or,
    /// when it was to end anyway, ends.
    WorkItem expire(String now) {
        return switch (state) {
            case STARTING, ACTIVE ->
                    new WorkItem(
                            origin,
                            WorkState.QUEUED,
                            new Times(now, null, null, null, null),
                            new Delivery(delivery.number, delivery.number, null, null),
                            Lease.NONE);
            case STOPPING -> stopped(now);
            case QUEUED, STOPPED ->
                    throw new IllegalStateException(
                            "a " + state.wire() + " item has no deadline: " + origin.id);
        };
    }

    private boolean outdated(Caller by) {
        return by instanceof Caller.Delivery token && token.delivery() <= delivery.base;
    }

    private void must(WorkState wanted) {
        if (state != wanted) {
            throw new IllegalStateException(
                    "work " + origin.id + " is " + state.wire() + ", not " + wanted.wire());
        }
    }
}
