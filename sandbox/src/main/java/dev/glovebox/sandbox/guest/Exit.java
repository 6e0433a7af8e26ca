package dev.glovebox.sandbox.guest;

/// How a process ended.
///
/// @param code its exit code from 0 to 255, or -1 if a signal ended it
/// @param signal the signal that ended it, or 0
/// @param usage what it has used
public record Exit(int code, int signal, Usage usage) {
    /// Whether it ended by itself and with code 0.
    public boolean success() {
        return code == 0;
    }
}
