package dev.glovebox.spec.lab;

import tools.jackson.databind.JsonNode;

/// What the TypeScript SDK threw, field by field.
public final class SdkError extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient JsonNode error;
    private final long millis;

    SdkError(String method, JsonNode error, long millis) {
        super(method + " threw " + error);
        this.error = error;
        this.millis = millis;
    }

    /// The SDK's exception class, such as `NotFoundError`.
    public String name() {
        return error.path("name").asString("");
    }

    /// The HTTP status, 0 without one.
    public int status() {
        return error.path("status").asInt(0);
    }

    /// `error.type` of the envelope.
    public String type() {
        return error.path("type").asString("");
    }

    /// `error.details.error_code`, empty without one.
    public String code() {
        return error.path("code").asString("");
    }

    /// `error.details`.
    public JsonNode details() {
        return error.path("details");
    }

    /// `error.message` of the envelope.
    public String text() {
        return error.path("message").asString("");
    }

    /// The `request-id` the SDK kept.
    public String requestId() {
        return error.path("requestId").asString("");
    }

    /// The `x-should-retry` header, empty without one.
    public String shouldRetry() {
        return error.path("shouldRetry").asString("");
    }

    /// How long the call took, the SDK's own retries included, in milliseconds.
    public long millis() {
        return millis;
    }
}
