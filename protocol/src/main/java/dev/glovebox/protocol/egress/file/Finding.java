package dev.glovebox.protocol.egress.file;

import java.util.OptionalInt;

/// Something about a policy file that its writer should know.
///
/// @param line on which it is, if it is on one
/// @param text one line for people
public record Finding(OptionalInt line, String text) {
    @Override
    public String toString() {
        return line.isPresent() ? text + " (line " + line.getAsInt() + ")" : text;
    }
}
