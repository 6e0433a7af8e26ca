package dev.glovebox.server.session;

import dev.glovebox.server.stream.Streams;
import dev.glovebox.server.work.WorkQueue;
import java.util.random.RandomGenerator;

/// What every change of a session needs beside the transaction.
///
/// @param starter is told of every turn that has begun
public record SessionParts(
        Streams streams, WorkQueue queue, TurnStarter starter, RandomGenerator random) {

    /// Starts and stops the threads of turns; told after the commit.
    public interface TurnStarter {
        /// A turn has begun.
        void start(String sessionId, long turn);

        /// The turn of the session, if any, is over before its end.
        void cancel(String sessionId);
    }
}
