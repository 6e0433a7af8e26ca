package dev.glovebox.egress;

import java.time.Instant;

/// Something that a sandbox tried to reach and was refused.
///
/// @param time when
/// @param destination the name or address it meant, canonical
/// @param port 1-65535; 53 for a name that was not answered
/// @param reason one line for people, without secrets
public record Denial(Instant time, String destination, int port, String reason) {}
