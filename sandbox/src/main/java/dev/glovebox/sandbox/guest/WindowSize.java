package dev.glovebox.sandbox.guest;

/// Size of a terminal in characters, each from 1 to 65,535.
public record WindowSize(int rows, int columns) {
    /// @throws IllegalArgumentException if a side is out of its range
    public WindowSize {
        if (rows < 1 || rows > 0xffff || columns < 1 || columns > 0xffff) {
            throw new IllegalArgumentException("window size out of range: " + rows + "x" + columns);
        }
    }
}
