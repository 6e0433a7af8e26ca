package dev.glovebox.worker.http;

import java.time.Duration;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// What came of one request: an answer, a refusal, or nothing.
///
/// None of the three is an exception, because each is the world's doing and each caller has its own
/// way to go on.
///
/// @param <T> what a good answer carries
public sealed interface Reply<T> {

    /// A 2xx answer.
    record Ok<T>(T value) implements Reply<T> {}

    /// An answer of any other status.
    ///
    /// @param message the server's words, cut to 500 characters
    /// @param details `error.details`, or a missing node
    /// @param retryAfter what the server asks to wait, if it says so and it is sane
    /// @param retry the server's `x-should-retry`, if it says so
    record Refused<T>(
            int status,
            String type,
            String message,
            JsonNode details,
            Optional<Duration> retryAfter,
            Optional<Boolean> retry)
            implements Reply<T> {}

    /// No answer: the connection failed or the time was up. The server may or may not have acted.
    record Unreachable<T>(String reason) implements Reply<T> {}

    /// Whether asking again can never help: a 4xx other than 408, 409 and 429.
    default boolean fatal() {
        return this instanceof Refused<T> r
                && r.status >= 400
                && r.status < 500
                && r.status != 408
                && r.status != 409
                && r.status != 429;
    }

    /// Whether the same request is worth sending again at once, by status or by the server's word.
    default boolean retryable() {
        return switch (this) {
            case Ok<T> _ -> false;
            case Unreachable<T> _ -> true;
            case Refused<T> r ->
                    r.retry.orElse(
                            r.status == 408
                                    || r.status == 409
                                    || r.status == 429
                                    || r.status >= 500);
        };
    }

    /// Whether it is a refusal with this status.
    default boolean is(int status) {
        return this instanceof Refused<T> r && r.status == status;
    }

    /// How long the server asks to wait.
    default Optional<Duration> retryAfterHint() {
        return this instanceof Refused<T> r ? r.retryAfter : Optional.empty();
    }

    /// The reply in one line, for logs.
    default String summary() {
        return switch (this) {
            case Ok<T> _ -> "ok";
            case Refused<T> r -> r.status + " " + r.type + ": " + r.message;
            case Unreachable<T> u -> "unreachable: " + u.reason;
        };
    }
}
