package dev.glovebox.sandbox;

import dev.glovebox.sandbox.SandboxException.Band;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// What a sandbox is like before a session's own mounts, network and limits are put to it.
///
/// @param name letters, digits, `.`, `_`, `-`, 1 to 64
/// @param root where its files come from
/// @param profile what programs inside may do
/// @param runtime the one to use, empty = the first that works on this host ([Profile#NESTED]:
///   runsc)
/// @param writableRoot whether the root can be written; what is written is gone with the sandbox.
///   [Profile#DEV] and [Profile#NESTED] always can
/// @param limits of a sandbox for which no others are asked
/// @param environment for commands, over the defaults of [Sandbox#environment] and the image's
/// @param prepare a command run once in a sandbox of this template whose root can be written; what
///   it writes there is a layer of every later sandbox. Empty = none
public record Template(
        String name,
        Root root,
        Profile profile,
        Optional<RuntimeName> runtime,
        boolean writableRoot,
        Limits limits,
        Map<String, String> environment,
        List<String> prepare) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    /// The programs of this host's `/usr`, read-only, with a synthetic `/etc`: [Profile#STRICT].
    public static final Template BASE = host("base", Profile.STRICT);

    /// The programs of this host under [Profile#DEV].
    public static final Template DEV = host("dev", Profile.DEV);

    /// @throws SandboxException [Band#CALLER] for a bad name, or a runtime the profile excludes
    public Template {
        environment = Map.copyOf(environment);
        prepare = List.copyOf(prepare);
        if (!NAME.matcher(name).matches()) {
            throw new SandboxException(Band.CALLER, "not a name for a template: '" + name + "'");
        }
        if (profile == Profile.NESTED && runtime.orElse(RuntimeName.RUNSC) != RuntimeName.RUNSC) {
            throw new SandboxException(
                    Band.CALLER, "profile nested needs runtime runsc, template " + name);
        }
        writableRoot |= profile != Profile.STRICT;
    }

    /// A template over this host's programs, with defaults for the rest.
    public static Template host(String name, Profile profile) {
        return new Template(
                name,
                new Root.Host(),
                profile,
                Optional.empty(),
                false,
                Limits.DEFAULT,
                Map.of(),
                List.of());
    }

    /// The built-in template of this name.
    ///
    /// @throws SandboxException [Band#CALLER] for a name that is not known
    public static Template builtIn(String name) {
        return switch (name) {
            case "base" -> BASE;
            case "dev" -> DEV;
            default ->
                    throw new SandboxException(
                            Band.CALLER, "no template " + name + "; there are: base, dev");
        };
    }

    /// The same under another runtime.
    public Template withRuntime(RuntimeName other) {
        return new Template(
                name,
                root,
                profile,
                Optional.of(other),
                writableRoot,
                limits,
                environment,
                prepare);
    }

    /// The same as it is while it is prepared: with a root that can be written, by root.
    Template preparing() {
        return new Template(
                name,
                root,
                profile == Profile.NESTED ? profile : Profile.DEV,
                runtime,
                true,
                limits,
                environment,
                List.of());
    }
}
