package dev.glovebox.worker;

import dev.glovebox.worker.session.Hands;

/// Gives a session its hands. Returns at once; what takes time happens behind the hands' back.
@FunctionalInterface
interface HandsSource {
    /// Opens the hands that will run this session's calls.
    Hands open(String sessionId);

    /// Gives up what is kept ready for sessions to come; hands can still be opened.
    default void release() {}
}
