package dev.glovebox.server.http;

/// Answers one kind of request. What it throws is answered as an error: a
/// [dev.glovebox.protocol.ProblemException] as itself, anything else as an internal error.
@FunctionalInterface
public interface Endpoint {
    /// Answers.
    Reply answer(Call call);
}
