package dev.glovebox.protocol;

import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// An error as the API tells it: a kind that fixes HTTP status and `error.type`, a message for
/// people, and details for programs.
///
/// @param kind decides the status
/// @param message names the field, path or value at fault and the way out; never a secret
/// @param details the `error.details` object, whose `error_code` selects the SDKs' typed exceptions
public record Problem(Kind kind, String message, Optional<ObjectNode> details) {

    /// A problem without details.
    public static Problem of(Kind kind, String message) {
        return new Problem(kind, message, Optional.empty());
    }

    /// A problem whose only detail is its error code.
    public static Problem of(Kind kind, String message, String errorCode) {
        return new Problem(kind, message, Optional.of(Json.object().put("error_code", errorCode)));
    }

    /// The envelope `{"type":"error","error":{...},"request_id":...}` as sent.
    public ObjectNode envelope(String requestId) {
        ObjectNode error = Json.object().put("type", kind.type).put("message", message);
        details.ifPresent(d -> error.set("details", d));
        ObjectNode envelope = Json.object().put("type", "error");
        envelope.set("error", error);
        return envelope.put("request_id", requestId);
    }

    /// What went wrong, by whom it is to be mended.
    public enum Kind {
        INVALID_REQUEST(400, "invalid_request_error"),
        AUTHENTICATION(401, "authentication_error"),
        PERMISSION(403, "permission_error"),
        NOT_FOUND(404, "not_found_error"),
        METHOD_NOT_ALLOWED(405, "invalid_request_error"),
        CONFLICT(409, "conflict_error"),
        PRECONDITION_FAILED(412, "invalid_request_error"),
        TOO_LARGE(413, "request_too_large"),
        RATE_LIMIT(429, "rate_limit_error"),
        INTERNAL(500, "api_error"),
        TIMEOUT(504, "timeout_error"),
        OVERLOADED(529, "overloaded_error");

        private final int status;
        private final String type;

        Kind(int status, String type) {
            this.status = status;
            this.type = type;
        }

        /// The HTTP status.
        public int status() {
            return status;
        }

        /// The `error.type` on the wire.
        public String type() {
            return type;
        }
    }
}
