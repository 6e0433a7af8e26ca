package dev.glovebox.cli.config;

import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.sandbox.Limits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/// The part `audit:` of a worker's file.
///
/// ```yaml
/// audit:
///   directory: /var/log/glovebox   # default: DATA/audit
///   segment: 16m                   # size after which a new file begins
///   size: 1g                       # of all files; the oldest go first
///   keep: 2160h                    # age after which a file goes
///   when-full: refuse              # or pass: what uses no credential goes on unrecorded
/// ```
///
/// @param directory empty = below the data directory
public record AuditSettings(
        Optional<Path> directory,
        Optional<Long> segment,
        Optional<Long> size,
        Optional<Duration> keep,
        boolean passUnrecorded) {
    /// Every default.
    public static final AuditSettings DEFAULT =
            new AuditSettings(
                    Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), false);

    /// The keys it reads.
    static final Set<String> KEYS =
            Set.of(
                    "audit.directory",
                    "audit.segment",
                    "audit.size",
                    "audit.keep",
                    "audit.when-full");

    static AuditSettings read(Settings settings) {
        return new AuditSettings(
                settings.get("audit.directory", settings.directory()::resolve),
                settings.get("audit.segment", Limits::bytes),
                settings.get("audit.size", Limits::bytes),
                settings.get("audit.keep", Durations::parse),
                settings.get("audit.when-full", AuditSettings::passes).orElse(false));
    }

    private static boolean passes(String text) {
        return switch (text) {
            case "refuse" -> false;
            case "pass" -> true;
            default ->
                    throw new IllegalArgumentException("'" + text + "' is not one of refuse, pass");
        };
    }

    /// What it means for a worker with this data directory.
    ///
    /// @throws dev.glovebox.egress.audit.AuditException when the limits make no sense together
    public AuditConfig below(Path data) {
        AuditConfig config = AuditConfig.at(directory.orElse(new StateDirectories(data).audit()));
        return new AuditConfig(
                config.directory(),
                segment.orElse(config.segmentBytes()),
                size.orElse(config.totalBytes()),
                keep.orElse(config.keep()),
                passUnrecorded);
    }
}
