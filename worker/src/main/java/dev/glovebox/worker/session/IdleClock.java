package dev.glovebox.worker.session;

import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.event.SessionEvent;
import dev.glovebox.protocol.event.StopReason;
import dev.glovebox.protocol.event.UserEvent;
import java.time.Duration;
import java.util.OptionalLong;

/// The countdown after which a worker leaves an idle session. Time is given to it, in nanoseconds
/// of [System#nanoTime].
///
/// An idle that ends the turn, which is every one but `requires_action`, arms it. Any other event
/// disarms it, except a confirmation and the end of a thread, which say nothing about the turn.
/// While calls are held or under way it does not run; it starts afresh when the last has ended.
final class IdleClock {
    private final long maxIdle;
    private boolean armed;
    private long since;
    private boolean mayBeStale;

    /// @param maxIdle zero means that nobody ever leaves
    IdleClock(Duration maxIdle) {
        this.maxIdle = maxIdle.toNanos();
    }

    /// Takes note of an event from the stream.
    void note(Event event, long now) {
        if (event instanceof SessionEvent.ThreadTerminated && mayBeStale) {
            armed = false;
        }
        if (isNeutral(event)) {
            return;
        }
        mayBeStale = false;
        if (endsTurn(event)) {
            arm(now);
        } else {
            armed = false;
        }
    }

    /// Takes note of the whole history.
    ///
    /// @param turnOver whether it ends with an idle that ends the turn and nobody owes an answer
    void historyRead(boolean turnOver, long now) {
        mayBeStale = false;
        if (turnOver) {
            arm(now);
        } else {
            armed = false;
        }
    }

    /// The history could not be read: what the clock knows may be out of date.
    void historyFailed() {
        mayBeStale = true;
    }

    /// The last call that was held or under way has ended.
    void unblocked(long now) {
        since = now;
    }

    /// Nanoseconds until it is time to leave, at most 0 when it is; empty when it does not run.
    ///
    /// @param blocked whether a call is held or under way
    OptionalLong left(boolean blocked, long now) {
        return armed && !blocked && maxIdle > 0
                ? OptionalLong.of(since + maxIdle - now)
                : OptionalLong.empty();
    }

    /// Whether the event says that the session's turn is over. A missing reason counts as such.
    static boolean endsTurn(Event event) {
        return event instanceof SessionEvent.Idle idle
                && !(idle.stopReason() instanceof StopReason.RequiresAction);
    }

    /// Whether the event says nothing about the turn.
    static boolean isNeutral(Event event) {
        return event instanceof UserEvent.ToolConfirmation
                || event instanceof SessionEvent.ThreadTerminated;
    }

    private void arm(long now) {
        armed = true;
        since = now;
    }
}
