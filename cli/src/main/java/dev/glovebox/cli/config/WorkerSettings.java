package dev.glovebox.cli.config;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.worker.PlaceConfig;
import dev.glovebox.worker.Warm;
import dev.glovebox.worker.WorkerConfig;
import dev.glovebox.workspace.WorkspaceLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// What the configuration file of a worker says; every part is optional.
///
/// ```yaml
/// max-sessions: 16        # sessions served at once
/// max-idle: 60s           # time after the end of a turn after which a session is left
/// drain-grace: 30s        # time that running calls have when the worker is told to end
/// runtime: crun           # crun, runc, runsc; default: crun, else runc
/// template: dev           # what a sandbox is made of; default: base
/// templates: templates    # directory of NAME.yaml; default: /etc/glovebox/templates
/// policy: policy.yaml     # egress policy; a path from this file's directory; default: that of
///                         # the template, or else nothing may be reached
/// registries:             # of images that templates name
///   auth-file: auth.json  # credentials as `docker login` writes them, mode 0600
///   ca-file: ca.pem       # authorities (PEM) that vouch for registries, besides the public ones
///   plain: [host:5000]    # spoken to without TLS
/// limits:                 # of each sandbox, over the template's
///   memory: 2g
///   cpus: 2
///   pids: 512
///   open-files: 16384     # of one process
///   time: 24h             # of the sandbox, which then ends: 1s to 720h
///   disk-rate: none       # bytes a second from and to the disk of /workspace, such as 50m
///   disk: 10g             # of /workspace; none = no limit, for a host without loop devices
///   files: 1000000        # of /workspace
///   output: 100k          # of one call, 1k to 16m: the last of a command, the first of a search
/// warm:                   # sandboxes kept ready for sessions to come
///   size: 2
///   starts: 1             # how many are started at once, 1 to 8
///   max-age: 30m          # after which one that no session took is replaced
/// egress:
///   proxy-variables: true # HTTP_PROXY and the like are set in sandboxes; default: false
/// ```
///
/// `audit:` is described at [AuditSettings], `egress:` at [EgressSettings], what else there is
/// about policies at [PolicySettings].
///
/// @param runtime the OCI runtime asked for
/// @param registries how images are had
/// @param disk limits of a new workspace, empty = none
/// @param audit where records of what sandboxes reach are kept
/// @param egress how what policies allow is reached
/// @param place what each session gets
public record WorkerSettings(
        Optional<Integer> maxSessions,
        Optional<Duration> maxIdle,
        Optional<Duration> drainGrace,
        Optional<RuntimeName> runtime,
        RegistrySettings registries,
        Optional<WorkspaceLimits> disk,
        AuditSettings audit,
        EgressSettings egress,
        PlaceConfig place) {
    /// No file: every default.
    public static final WorkerSettings DEFAULT = in(PlaceConfig.DEFAULT.withWarm(Warm.DEFAULT));

    private static final Set<String> OWN_KEYS =
            Set.of(
                    "max-sessions",
                    "max-idle",
                    "drain-grace",
                    "runtime",
                    "template",
                    "templates",
                    "limits.output",
                    "warm.size",
                    "warm.starts",
                    "warm.max-age",
                    "egress.proxy-variables");

    private static final Set<String> KEYS =
            Stream.of(
                            OWN_KEYS,
                            LimitSettings.KEYS,
                            AuditSettings.KEYS,
                            EgressSettings.KEYS,
                            RegistrySettings.KEYS,
                            PolicySettings.KEYS)
                    .flatMap(Set::stream)
                    .collect(Collectors.toUnmodifiableSet());

    /// Every default but the place.
    public static WorkerSettings in(PlaceConfig place) {
        return new WorkerSettings(
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                RegistrySettings.DEFAULT,
                Optional.of(WorkspaceLimits.DEFAULT),
                AuditSettings.DEFAULT,
                EgressSettings.DEFAULT,
                place);
    }

    /// Reads a file.
    ///
    /// @throws ConfigException with everything that is wrong in it
    public static WorkerSettings read(Path file) {
        Settings settings = Settings.read(file, KEYS);
        TemplateFile template = template(settings);
        Optional<WorkspaceLimits> disk = LimitSettings.disk(settings, template.disk());
        WorkerSettings read =
                new WorkerSettings(
                        settings.get("max-sessions", WorkerSettings::sessions),
                        settings.get("max-idle", Durations::parse),
                        settings.get("drain-grace", Durations::parse),
                        settings.get("runtime", RuntimeName::parse),
                        RegistrySettings.read(settings),
                        disk,
                        AuditSettings.read(settings),
                        EgressSettings.read(settings),
                        place(settings, template, disk));
        settings.finish();
        return read;
    }

    /// The configuration with what the file says instead of the defaults.
    public WorkerConfig over(WorkerConfig defaults) {
        WorkerConfig config = defaults.withPlace(place);
        config = maxSessions.map(config::withMaxSessions).orElse(config);
        config = with(maxIdle, config, WorkerConfig::withMaxIdle);
        return with(drainGrace, config, WorkerConfig::withDrainGrace);
    }

    private static <T> WorkerConfig with(Optional<T> value, WorkerConfig config, Change<T> change) {
        return value.map(v -> change.apply(config, v)).orElse(config);
    }

    private interface Change<T> {
        WorkerConfig apply(WorkerConfig config, T value);
    }

    private static TemplateFile template(Settings settings) {
        TemplateDirectory templates =
                settings.get("templates", settings.directory()::resolve)
                        .map(TemplateDirectory::new)
                        .orElse(new TemplateDirectory(Path.of(TemplateDirectory.DEFAULT)));
        return settings.get("template", templates::find)
                .orElse(TemplateFile.builtIn(Template.BASE.name()));
    }

    private static PlaceConfig place(
            Settings settings, TemplateFile template, Optional<WorkspaceLimits> disk) {
        Limits limits = LimitSettings.read(settings, template.template().limits());
        limits = disk.map(WorkspaceLimits::bytes).map(limits::withFileBytes).orElse(limits);
        PlaceConfig place =
                PlaceConfig.DEFAULT
                        .withTemplate(template.template())
                        .withLimits(limits)
                        .withPolicies(PolicySettings.read(settings, template.policy()))
                        .withWarm(warm(settings))
                        .withProxyVariables(
                                settings.get("egress.proxy-variables", WorkerSettings::flag)
                                        .orElse(false));
        return settings.get("limits.output", text -> place.withOutputBytes(Limits.bytes(text)))
                .orElse(place);
    }

    private static boolean flag(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default ->
                    throw new IllegalArgumentException("'" + text + "' is not one of true, false");
        };
    }

    private static Warm warm(Settings settings) {
        int size =
                settings.get("warm.size", LimitSettings.whole(WorkerSettings::warmSize))
                        .orElse(Warm.DEFAULT.size());
        int starts =
                settings.get("warm.starts", LimitSettings.whole(WorkerSettings::warmStarts))
                        .orElse(Warm.DEFAULT.starts());
        Duration age =
                settings.get("warm.max-age", WorkerSettings::warmAge).orElse(Warm.DEFAULT.maxAge());
        return new Warm(size, starts, age);
    }

    private static Duration warmAge(String text) {
        Duration age = Durations.parse(text);
        if (age.compareTo(PoolConfig.LEAST_AGE) < 0) {
            throw new IllegalArgumentException("must be at least 1s, is " + text);
        }
        return age;
    }

    private static int warmSize(int size) {
        if (size < 0 || size > PoolConfig.MOST) {
            throw new IllegalArgumentException("must be 0 to " + PoolConfig.MOST + ", is " + size);
        }
        return size;
    }

    private static int warmStarts(int starts) {
        if (starts < 1 || starts > PoolConfig.MOST_STARTS) {
            throw new IllegalArgumentException(
                    "must be 1 to " + PoolConfig.MOST_STARTS + ", is " + starts);
        }
        return starts;
    }

    private static int sessions(String text) {
        int count = LimitSettings.whole(n -> n).apply(text);
        if (count < 1 || count > WorkerConfig.MOST_SESSIONS) {
            throw new IllegalArgumentException(
                    "must be 1 to " + WorkerConfig.MOST_SESSIONS + ", is " + count);
        }
        return count;
    }
}
