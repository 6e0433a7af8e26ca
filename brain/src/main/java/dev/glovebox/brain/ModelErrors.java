package dev.glovebox.brain;

import com.anthropic.errors.AnthropicException;
import com.anthropic.errors.AnthropicIoException;
import com.anthropic.errors.AnthropicRetryableException;
import com.anthropic.errors.AnthropicServiceException;
import dev.glovebox.protocol.brain.Brain.Next;
import dev.glovebox.protocol.brain.Brain.Retry;
import java.util.Locale;

/// What a failed model request means for a session.
///
/// Whatever may pass by itself is [Retry#RETRYING]; what somebody must mend first (credentials,
/// credit, a model that does not exist, a request too long) is [Retry#EXHAUSTED], which ends the
/// turn and keeps the session. Nothing a model API says ends a session for good. Messages carry the
/// API's own words, its status and its request id, never a header or a body.
final class ModelErrors {
    private static final int LONGEST_MESSAGE = 500;

    private ModelErrors() {}

    static Next.Failed of(AnthropicException e) {
        return switch (e) {
            case AnthropicServiceException service -> service(service);
            case AnthropicIoException io -> lost("the connection to the model failed", io);
            case AnthropicRetryableException lost ->
                    lost("the connection to the model failed", lost);
            default -> lost("the model's reply could not be read", e);
        };
    }

    /// A reply that came to an end it should not have.
    static Next.Failed broken(String message) {
        return new Next.Failed("model_request_failed_error", message, Retry.RETRYING);
    }

    /// A step that another try would not better.
    static Next.Failed hopeless(String message) {
        return new Next.Failed("model_request_failed_error", message, Retry.EXHAUSTED);
    }

    private static Next.Failed lost(String what, AnthropicException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return broken(what + ": " + clip(String.valueOf(cause.getMessage())));
    }

    private static Next.Failed service(AnthropicServiceException e) {
        int status = e.statusCode();
        String kind = e.type().map(t -> t.asString()).orElse("");
        String words = e.apiMessage().orElse("no message");
        String message =
                "the model API answered "
                        + status
                        + " "
                        + kind
                        + ": "
                        + clip(words)
                        + e.requestId().map(id -> " (" + id + ")").orElse("");
        if (status == 529 || kind.equals("overloaded_error")) {
            return new Next.Failed("model_overloaded_error", message, Retry.RETRYING);
        }
        if (status == 429 || kind.equals("rate_limit_error")) {
            return new Next.Failed("model_rate_limited_error", message, Retry.RETRYING);
        }
        if (status == 402 || kind.equals("billing_error") || outOfCredit(status, words)) {
            return new Next.Failed("billing_error", message, Retry.EXHAUSTED);
        }
        return passes(status, kind) ? broken(message) : hopeless(message);
    }

    /// An error event inside a stream has status 200 and tells its kind only in the body.
    private static boolean passes(int status, String kind) {
        return status >= 500
                || status == 408
                || status == 409
                || (status < 300
                        && !kind.equals("invalid_request_error")
                        && !kind.equals("authentication_error")
                        && !kind.equals("permission_error"));
    }

    private static boolean outOfCredit(int status, String words) {
        return status == 400 && words.toLowerCase(Locale.ROOT).contains("credit balance");
    }

    private static String clip(String text) {
        return text.length() <= LONGEST_MESSAGE ? text : text.substring(0, LONGEST_MESSAGE) + "...";
    }
}
