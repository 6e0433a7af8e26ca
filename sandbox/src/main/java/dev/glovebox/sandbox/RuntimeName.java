package dev.glovebox.sandbox;

import dev.glovebox.sandbox.SandboxException.Band;
import java.util.List;
import java.util.Locale;

/// The OCI runtimes a sandbox can run under.
public enum RuntimeName {
    /// github.com/containers/crun: the fastest.
    CRUN,
    /// github.com/opencontainers/runc: the reference.
    RUNC,
    /// gVisor: its own kernel. Only by template, never by default.
    RUNSC;

    /// The order in which the start-up probe tries them.
    static final List<RuntimeName> BY_PREFERENCE = List.of(CRUN, RUNC);

    /// Name of the program, searched in `PATH`.
    public String program() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// The runtime whose program has this name.
    ///
    /// @throws SandboxException [Band#CALLER] for a name that is not known
    public static RuntimeName parse(String name) {
        for (RuntimeName runtime : values()) {
            if (runtime.program().equals(name)) {
                return runtime;
            }
        }
        throw new SandboxException(
                Band.CALLER, "no runtime " + name + "; there are: crun, runc, runsc");
    }
}
