package dev.glovebox.sandbox;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What makes a sandbox that was started for nobody the one of a session ([Sandbox#bind]).
///
/// @param mounts directories of the host, each at a directory that the template's root has, such as
///   `/workspace`
/// @param limits such as it can be given while it runs ([Limits#canFollow])
/// @param environment for commands, over that of the template
public record Binding(List<Mount> mounts, Limits limits, Map<String, String> environment) {
    public Binding {
        mounts = List.copyOf(mounts);
        environment = Map.copyOf(environment);
    }

    /// Without the values of the environment, which may be secret.
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "Binding[mounts=%s, limits=%s, environment=%s]",
                mounts,
                limits,
                environment.keySet());
    }
}
