package dev.glovebox.worker.http;

/// One event of a `text/event-stream`.
///
/// @param name its `event` field, empty if it had none
/// @param data its `data` lines joined with LF
public record SseEvent(String name, String data) {}
