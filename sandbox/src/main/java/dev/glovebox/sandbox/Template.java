package dev.glovebox.sandbox;

import dev.glovebox.sandbox.SandboxException.Band;

/// What a sandbox looks like inside before anything is mounted into it.
///
/// @param name `base` for now
public record Template(String name) {
    /// The programs of this host's `/usr`, read-only, with a synthetic `/etc`.
    public static final Template BASE = new Template("base");

    /// @throws SandboxException [Band#CALLER] for a name that is not known
    public Template {
        if (!name.equals("base")) {
            throw new SandboxException(Band.CALLER, "no template " + name + "; there is: base");
        }
    }
}
