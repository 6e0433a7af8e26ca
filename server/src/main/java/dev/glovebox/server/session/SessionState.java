package dev.glovebox.server.session;

import dev.glovebox.protocol.event.StopReason;
import dev.glovebox.protocol.session.SessionStatus;
import java.util.Optional;

/// Where a session stands, and where it can go from there.
///
/// ```
/// idle --begin--> running --rest--> idle        running --reschedule--> rescheduling
/// rescheduling --begin--> running               rescheduling --rest--> idle
/// any but terminated --terminate--> terminated
/// ```
sealed interface SessionState {
    /// The word of this state on the wire.
    SessionStatus status();

    /// The agent loop starts or goes on.
    default SessionState begin() {
        throw new IllegalTransition(this, "begin");
    }

    /// The session waits for somebody, for this reason.
    default SessionState rest(StopReason reason) {
        throw new IllegalTransition(this, "rest with " + reason.type());
    }

    /// A passing fault: the platform tries again by itself.
    default SessionState reschedule() {
        throw new IllegalTransition(this, "reschedule");
    }

    /// The session is over for good.
    default SessionState terminate() {
        return new Terminated();
    }

    /// Whether a turn is going on, so that the session can be neither archived nor deleted.
    default boolean busy() {
        return false;
    }

    /// Waiting for input.
    ///
    /// @param reason why the last turn paused or ended; empty before the first
    record Idle(Optional<StopReason> reason) implements SessionState {
        @Override
        public SessionStatus status() {
            return SessionStatus.IDLE;
        }

        @Override
        public SessionState begin() {
            return new Running();
        }

        @Override
        public SessionState rest(StopReason next) {
            // fewer calls wait than before, or an interrupt closed them
            if (reason.isPresent() && reason.get() instanceof StopReason.RequiresAction) {
                return new Idle(Optional.of(next));
            }
            throw new IllegalTransition(this, "rest with " + next.type());
        }

        /// Whether calls wait for a client.
        boolean waitsForAnswers() {
            return reason.isPresent() && reason.get() instanceof StopReason.RequiresAction;
        }
    }

    /// The agent loop is executing.
    record Running() implements SessionState {
        @Override
        public SessionStatus status() {
            return SessionStatus.RUNNING;
        }

        @Override
        public SessionState rest(StopReason reason) {
            return new Idle(Optional.of(reason));
        }

        @Override
        public SessionState reschedule() {
            return new Rescheduling();
        }

        @Override
        public boolean busy() {
            return true;
        }
    }

    /// Waiting to try again.
    record Rescheduling() implements SessionState {
        @Override
        public SessionStatus status() {
            return SessionStatus.RESCHEDULING;
        }

        @Override
        public SessionState begin() {
            return new Running();
        }

        @Override
        public SessionState rest(StopReason reason) {
            return new Idle(Optional.of(reason));
        }

        @Override
        public boolean busy() {
            return true;
        }
    }

    /// Over.
    record Terminated() implements SessionState {
        @Override
        public SessionStatus status() {
            return SessionStatus.TERMINATED;
        }

        @Override
        public SessionState terminate() {
            throw new IllegalTransition(this, "terminate");
        }
    }

    /// A transition that the state machine does not have: a fault of ours, never of a client.
    final class IllegalTransition extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        IllegalTransition(SessionState from, String what) {
            super("a session that is " + from.status().wire() + " cannot " + what);
        }
    }
}
