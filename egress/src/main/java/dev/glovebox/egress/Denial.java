package dev.glovebox.egress;

import java.time.Instant;

/// Something that a sandbox tried to reach and was refused.
///
/// @param time when
/// @param destination the name or address it meant, canonical
/// @param port 1-65535; 0 for a name that was asked for and not answered
/// @param reason one line for people, without secrets
public record Denial(Instant time, String destination, int port, String reason) {
    /// The destination for people: `HOST:PORT`, or the name alone that was not answered.
    public String where() {
        if (port == 0) {
            return destination;
        }
        boolean six = destination.indexOf(':') >= 0;
        return (six ? "[" + destination + "]" : destination) + ":" + port;
    }
}
