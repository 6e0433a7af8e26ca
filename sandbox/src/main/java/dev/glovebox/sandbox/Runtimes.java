package dev.glovebox.sandbox;

import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.launch.HostFacts;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/// The OCI runtimes of this machine, each tried when it is first needed.
///
/// A trial is a real sandbox, started and attested, with the deadline of every start. What came of
/// it is remembered. gVisor is tried with each of its ways to run programs: `systrap` where its
/// version has that, else `ptrace`.
final class Runtimes implements AutoCloseable {
    private static final List<String> PLATFORMS = List.of("systrap", "ptrace");

    private final Function<Installed, Launch> launches;
    private final Trial trial;
    private final Map<RuntimeName, Launch> working = new EnumMap<>(RuntimeName.class);
    private final Map<RuntimeName, RuntimeProbe> probes = new EnumMap<>(RuntimeName.class);
    private final List<RuntimeName> byDefault;
    private final ReentrantLock lock = new ReentrantLock();

    /// One that is there.
    ///
    /// @param platform of gVisor; empty for others
    record Installed(RuntimeName name, Path program, String platform) {}

    /// Starts a sandbox and ends it.
    interface Trial {
        /// Does so.
        ///
        /// @throws SandboxException if it did not start or was not as promised
        void run(String name, Launch launch);
    }

    /// @param wanted the one to use where a template names none; empty = the first that works
    Runtimes(Optional<RuntimeName> wanted, Function<Installed, Launch> launches, Trial trial) {
        this.byDefault = wanted.map(List::of).orElse(RuntimeName.BY_PREFERENCE);
        this.launches = launches;
        this.trial = trial;
    }

    /// The one that is used where a template names none.
    ///
    /// @throws SandboxException [Band#HOST] if none works
    Launch byDefault() {
        for (RuntimeName name : byDefault) {
            Optional<Launch> launch = find(name);
            if (launch.isPresent()) {
                return launch.get();
            }
        }
        throw new SandboxException(
                Band.HOST, "no OCI runtime of this machine starts a sandbox: " + probes());
    }

    /// The one a template asks for, else the one by default.
    ///
    /// @throws SandboxException [Band#HOST] saying why it does not work
    Launch of(Template template) {
        Optional<RuntimeName> asked = template.runtime();
        if (asked.isEmpty() && template.profile() == Profile.NESTED) {
            asked = Optional.of(RuntimeName.RUNSC);
        }
        if (asked.isEmpty()) {
            return byDefault();
        }
        RuntimeName name = asked.get();
        return find(name)
                .orElseThrow(() ->
                        new SandboxException(
                                Band.HOST,
                                String.format(
                                        Locale.ROOT,
                                        "template %s needs runtime %s, which does not work: %s",
                                        template.name(),
                                        name.program(),
                                        explanation(name))));
    }

    /// What became of those that were tried.
    List<RuntimeProbe> probes() {
        lock.lock();
        try {
            return List.copyOf(probes.values());
        } finally {
            lock.unlock();
        }
    }

    private String explanation(RuntimeName name) {
        return probes().stream()
                .filter(p -> p.runtime() == name)
                .map(RuntimeProbe::explanation)
                .findFirst()
                .orElse("");
    }

    private Optional<Launch> find(RuntimeName name) {
        lock.lock();
        try {
            if (!probes.containsKey(name)) {
                probes.put(name, probe(name));
            }
            return Optional.ofNullable(working.get(name));
        } finally {
            lock.unlock();
        }
    }

    private RuntimeProbe probe(RuntimeName name) {
        Optional<Path> program = HostFacts.program(name.program());
        if (program.isEmpty()) {
            return new RuntimeProbe(name, false, "it is not installed");
        }
        List<String> failures = new ArrayList<>();
        for (String platform : name == RuntimeName.RUNSC ? PLATFORMS : List.of("")) {
            Launch launch = launches.apply(new Installed(name, program.get(), platform));
            try {
                trial.run("probe-" + name.program() + platform, launch);
                working.put(name, launch);
                return new RuntimeProbe(name, true, "");
            } catch (SandboxException e) {
                failures.add(String.valueOf(e.getMessage()));
                launch.close();
            }
        }
        return new RuntimeProbe(name, false, String.join("; ", failures));
    }

    /// Lets go of what those that work need to start.
    @Override
    public void close() {
        lock.lock();
        try {
            working.values().forEach(Launch::close);
        } finally {
            lock.unlock();
        }
    }
}
