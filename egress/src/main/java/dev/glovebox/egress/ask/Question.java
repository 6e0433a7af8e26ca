package dev.glovebox.egress.ask;

import dev.glovebox.protocol.egress.Destination;
import java.time.Instant;

/// A destination that a sandbox wants to reach and a rule leaves to the operator.
///
/// @param since when it was asked first
/// @param destination what is to be reached
/// @param rule that asks
/// @param waiting connections that wait for the answer now
public record Question(Instant since, Destination destination, String rule, int waiting) {}
