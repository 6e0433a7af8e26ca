package dev.glovebox.sandbox;

/// What became of the attempt to start a hardened sandbox under one runtime.
///
/// @param works whether it started and was as promised
/// @param explanation why not; empty if it works
public record RuntimeProbe(RuntimeName runtime, boolean works, String explanation) {}
