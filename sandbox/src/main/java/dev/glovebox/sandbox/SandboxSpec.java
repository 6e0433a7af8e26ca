package dev.glovebox.sandbox;

import dev.glovebox.sandbox.SandboxException.Band;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// What to make a sandbox of.
///
/// @param name of the sandbox, unlike every other living one of the same worker: letters, digits,
///   `_`, `-`, 1 to 64
/// @param mounts shown inside, by convention one at `/workspace`; no target inside another mount,
///   where the agent could put a link in its way
/// @param networkNamespace path of a ready one to join, empty = one of its own in which there is
///   only `lo`, down
/// @param environment for commands, over the defaults of [Sandbox#environment]
public record SandboxSpec(
        String name,
        Template template,
        List<Mount> mounts,
        Optional<Path> networkNamespace,
        Limits limits,
        Map<String, String> environment) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}");

    /// @throws SandboxException [Band#CALLER] for a bad name or mounts inside one another
    public SandboxSpec {
        mounts = List.copyOf(mounts);
        environment = Map.copyOf(environment);
        if (!NAME.matcher(name).matches()) {
            throw new SandboxException(Band.CALLER, "not a name for a sandbox: '" + name + "'");
        }
        for (int i = 0; i < mounts.size(); i++) {
            for (int j = 0; j < mounts.size(); j++) {
                if (i != j && mounts.get(i).inside(mounts.get(j))) {
                    throw new SandboxException(
                            Band.CALLER,
                            String.format(
                                    Locale.ROOT,
                                    "mount target %s lies in mount %s",
                                    mounts.get(i).target(),
                                    mounts.get(j).target()));
                }
            }
        }
    }

    /// Template `base`, default limits, no network but an unconnected one of its own.
    public static SandboxSpec of(String name, List<Mount> mounts) {
        return new SandboxSpec(
                name, Template.BASE, mounts, Optional.empty(), Limits.DEFAULT, Map.of());
    }

    /// The same for a session; what the session's environment says goes over this one's.
    SandboxSpec with(Binding binding) {
        Map<String, String> both = new HashMap<>(environment);
        both.putAll(binding.environment());
        List<Mount> all = new ArrayList<>(mounts);
        all.addAll(binding.mounts());
        return new SandboxSpec(name, template, all, networkNamespace, binding.limits(), both);
    }

    /// Without the values of the environment, which may be secret.
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "SandboxSpec[name=%s, template=%s, mounts=%s, network=%s, limits=%s, environment=%s]",
                name,
                template.name(),
                mounts,
                networkNamespace,
                limits,
                environment.keySet());
    }
}
