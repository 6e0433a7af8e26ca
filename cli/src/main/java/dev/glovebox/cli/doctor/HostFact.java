package dev.glovebox.cli.doctor;

/// One thing about this host that Glovebox depends on.
///
/// @param name short and stable, for machines too, such as `cgroups`
/// @param level how much it matters as it is
/// @param value what was found
/// @param advice what to do about it; empty when nothing
public record HostFact(String name, Level level, String value, String advice) {

    /// As it should be.
    public static HostFact ok(String name, String value) {
        return new HostFact(name, Level.OK, value, "");
    }

    /// As it should be for most, with what others may want to do.
    public static HostFact hint(String name, String value, String advice) {
        return new HostFact(name, Level.OK, value, advice);
    }

    /// A weakness worth knowing, with what to do about it.
    public static HostFact warn(String name, String value, String advice) {
        return new HostFact(name, Level.WARN, value, advice);
    }

    /// No sandbox can run until the advice is followed.
    public static HostFact fatal(String name, String value, String advice) {
        return new HostFact(name, Level.FATAL, value, advice);
    }

    /// How much a fact matters.
    public enum Level {
        /// As it should be.
        OK,
        /// Works, with a weakness worth knowing.
        WARN,
        /// Sandboxes cannot run on this host until it is mended.
        FATAL
    }
}
