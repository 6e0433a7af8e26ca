package dev.glovebox.protocol.egress.request;

/// What is judged of one HTTP request.
///
/// @param method as sent: methods are case-sensitive (RFC 9110 §9.1)
/// @param path where to, canonical
/// @param webSocket whether it asks to become a web socket (RFC 6455, RFC 8441)
public record RequestLine(String method, CanonicalPath path, boolean webSocket) {}
