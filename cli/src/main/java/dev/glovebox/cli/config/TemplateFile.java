package dev.glovebox.cli.config;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Profile;
import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Template;
import dev.glovebox.workspace.WorkspaceLimits;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// A template as a file; every part is optional.
///
/// ```yaml
/// name: python              # default: the file's name without .yaml
/// root:                     # default: host, the programs of this host
///   image: registry.example/library/python:3.13
/// profile: dev              # strict (default), dev, nested
/// runtime: crun             # crun, runc, runsc; default: the first that works
/// writable-root: true       # default: false, but with dev and nested
/// limits:
///   memory: 4g
///   cpus: 2
///   pids: 1024
///   open-files: 16384
///   time: 24h
///   disk-rate: none
///   disk: 10g
///   files: 1000000
/// environment:
///   PIP_NO_INPUT: 1
/// prepare: [sh, -c, "mkdir -p /usr/local/share/team && date > /usr/local/share/team/made"]
/// policy: python-policy.yaml  # a path from this file's directory, for who names no other policy
/// ```
///
/// The policy is no part of a [Template]: what a sandbox is made of is one thing, and what it may
/// reach another, which its door is told.
///
/// @param disk limits of the workspaces of its sessions, empty = none
/// @param policy file of the policy for who names no other
public record TemplateFile(
        Template template, Optional<WorkspaceLimits> disk, Optional<Path> policy) {
    private static final Set<String> KEYS = keys();
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
    private static final Pattern NAME_OF_FILE = Pattern.compile("\\.ya?ml$");

    /// One that is built in.
    ///
    /// @throws dev.glovebox.sandbox.SandboxException for a name that is not known
    static TemplateFile builtIn(String name) {
        return new TemplateFile(
                Template.builtIn(name), Optional.of(WorkspaceLimits.DEFAULT), Optional.empty());
    }

    /// Reads a file.
    ///
    /// @throws ConfigException with everything that is wrong in it, each with its line
    static TemplateFile read(Path file) {
        Settings settings = Settings.read(file, KEYS);
        String fileName = String.valueOf(file.getFileName());
        String name =
                settings.get("name", text -> Template.host(text, Profile.STRICT).name())
                        .orElse(NAME_OF_FILE.matcher(fileName).replaceFirst(""));
        Root root =
                settings.get("root.image", Root.Image::new)
                        .<Root>map(image -> image)
                        .orElseGet(() ->
                                settings.get("root", TemplateFile::host).orElse(new Root.Host()));
        Profile profile = settings.get("profile", TemplateFile::profile).orElse(Profile.STRICT);
        var runtime = settings.get("runtime", RuntimeName::parse);
        boolean writable = settings.get("writable-root", TemplateFile::truth).orElse(false);
        Limits limits = LimitSettings.read(settings, Limits.DEFAULT);
        Optional<WorkspaceLimits> disk =
                LimitSettings.disk(settings, Optional.of(WorkspaceLimits.DEFAULT));
        Map<String, String> environment = settings.below("environment");
        for (String variable : environment.keySet()) {
            if (!VARIABLE.matcher(variable).matches()) {
                settings.get(
                        "environment." + variable,
                        text -> {
                            throw new IllegalArgumentException("is no name of a variable");
                        });
            }
        }
        List<String> prepare = settings.words("prepare");
        Optional<Path> policy =
                settings.get(
                        "policy",
                        text -> PolicySettings.checked(settings.directory().resolve(text)));
        settings.finish();
        try {
            return new TemplateFile(
                    new Template(
                            name, root, profile, runtime, writable, limits, environment, prepare),
                    disk,
                    policy);
        } catch (RuntimeException e) {
            throw new ConfigException("template " + file + " is wrong: " + e.getMessage(), e);
        }
    }

    private static Set<String> keys() {
        Set<String> keys = new HashSet<>(LimitSettings.KEYS);
        keys.addAll(
                Set.of(
                        "name",
                        "root",
                        "root.image",
                        "profile",
                        "runtime",
                        "writable-root",
                        "policy",
                        "environment.*",
                        "prepare[]"));
        return Set.copyOf(keys);
    }

    private static Root host(String text) {
        if (!text.equals("host")) {
            throw new IllegalArgumentException(
                    "must be host, or have image: below it, is '" + text + "'");
        }
        return new Root.Host();
    }

    private static Profile profile(String text) {
        for (Profile profile : Profile.values()) {
            if (profile.name().toLowerCase(Locale.ROOT).equals(text)) {
                return profile;
            }
        }
        throw new IllegalArgumentException("must be strict, dev or nested, is '" + text + "'");
    }

    private static boolean truth(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("must be true or false, is " + text);
        };
    }
}
