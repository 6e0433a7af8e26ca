package dev.glovebox.sandbox;

import dev.glovebox.linux.cgroup.Cgroups;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.root.BaseRoot;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// All sandboxes of one worker process.
///
/// Opening finds the first runtime of this machine that starts a sandbox which is as promised, and
/// ends whatever an earlier worker with the same state directory left. A sandbox is handed out only
/// after it has been compared, from inside, with what it must be ([Attestation]); there is no way
/// to run anything in one that was not. Thread-safe.
public final class Sandboxes implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Sandboxes.class.getName());

    private final StateDirectory state;
    private final Cgroups cgroups;
    private final BaseRoot base;
    private final IdBlocks blocks = new IdBlocks();
    private final Set<String> names = ConcurrentHashMap.newKeySet();
    private final Map<String, Sandbox> living = new ConcurrentHashMap<>();
    private final List<RuntimeProbe> probes = new ArrayList<>();
    private final SandboxConfig config;
    private final Launch launch;

    private Sandboxes(SandboxConfig config, StateDirectory state, Cgroups cgroups) {
        this.config = config;
        this.state = state;
        this.cgroups = cgroups;
        this.base = BaseRoot.prepare(state.base());
        this.launch = firstThatWorks();
    }

    /// Makes ready: takes the state directory, ends leftovers, prepares what sandboxes share, and
    /// probes runtimes by starting a sandbox.
    ///
    /// @throws SandboxException [Band#HOST] saying what this machine lacks, [Band#CALLER] if
    ///   another worker uses the state directory
    public static Sandboxes open(SandboxConfig config) {
        Cgroups cgroups = Cgroups.detect();
        List<String> missing = cgroups.missingControllers();
        if (!missing.isEmpty()) {
            throw new SandboxException(
                    Band.HOST,
                    "this machine offers no control groups for " + String.join(", ", missing));
        }
        StateDirectory state = StateDirectory.open(config.stateDirectory(), cgroups);
        try {
            return new Sandboxes(config, state, cgroups);
        } catch (RuntimeException e) {
            state.close();
            throw e;
        }
    }

    /// Starts a sandbox and waits until it has answered and is as promised.
    ///
    /// @throws SandboxException with nothing left behind
    public Sandbox create(SandboxSpec spec) {
        Template template = spec.template();
        if (!(template.root() instanceof Root.Host)
                || template.writableRoot()
                || template.runtime().filter(asked -> asked != runtime()).isPresent()) {
            throw new SandboxException(
                    Band.CALLER, "this worker cannot do template " + template.name());
        }
        return create(spec, launch, true);
    }

    /// Starts a sandbox that belongs to no session yet. Nothing can be started in it before
    /// [Sandbox#bind].
    ///
    /// @param spec without mounts
    /// @throws SandboxException with nothing left behind; [Band#CALLER] if the runtime is one in
    ///   which nothing can be mounted later ([#bindsLater])
    public Sandbox createUnbound(SandboxSpec spec) {
        if (!spec.mounts().isEmpty() || !bindsLater(spec.template())) {
            throw new SandboxException(
                    Band.CALLER,
                    "sandbox " + spec.name() + " has mounts, or a runtime that binds none later");
        }
        return create(spec, launch, false);
    }

    /// Whether a sandbox of this template can be started before it is known whose it will be. One
    /// of gVisor cannot: its kernel does not see what is mounted on the host after its start.
    public boolean bindsLater(Template template) {
        return template.runtime().orElse(runtime()) != RuntimeName.RUNSC;
    }

    /// The runtime in use.
    public RuntimeName runtime() {
        return probes.getLast().runtime();
    }

    /// What became of the runtimes that were tried when this was opened; the last is in use.
    public List<RuntimeProbe> probes() {
        return List.copyOf(probes);
    }

    /// Ends all sandboxes and lets the state directory go.
    @Override
    public void close() {
        for (Sandbox sandbox : living.values()) {
            try {
                sandbox.close();
            } catch (SandboxException e) {
                LOG.log(Level.ERROR, "cannot end sandbox " + sandbox.name(), e);
            }
        }
        state.close();
        blocks.close();
    }

    private Sandbox create(SandboxSpec spec, Launch start, boolean bound) {
        String name = spec.name();
        if (!names.add(name)) {
            throw new SandboxException(Band.CALLER, "a sandbox named " + name + " is running");
        }
        IdBlocks.Block block;
        try {
            block = blocks.take();
        } catch (RuntimeException e) {
            names.remove(name);
            throw e;
        }
        try {
            Launch.Started started = start.run(spec, block);
            Sandbox sandbox =
                    new Sandbox(
                            spec,
                            started.attestation(),
                            new Binder(started.guest(), state.group(name), block.namespace()),
                            () -> end(name, block));
            if (bound) {
                sandbox.confine();
            }
            living.put(name, sandbox);
            return sandbox;
        } catch (RuntimeException e) {
            end(name, block);
            throw e;
        }
    }

    /// A name and a block whose processes cannot be ended are not given out again.
    private void end(String name, IdBlocks.Block block) {
        living.remove(name);
        if (!state.remove(name)) {
            throw new SandboxException(
                    Band.HOST, "processes of sandbox " + name + " cannot be ended");
        }
        blocks.giveBack(block);
        names.remove(name);
    }

    private Launch firstThatWorks() {
        List<RuntimeName> candidates =
                config.runtime().map(List::of).orElse(RuntimeName.BY_PREFERENCE);
        for (RuntimeName candidate : candidates) {
            var program = HostFacts.program(candidate.program());
            if (program.isEmpty()) {
                probes.add(new RuntimeProbe(candidate, false, "it is not installed"));
                continue;
            }
            Launch attempt =
                    new Launch(
                            state, base, cgroups, candidate, program.get(), config.startTimeout());
            try (Sandbox probe =
                    create(
                            SandboxSpec.of("probe-" + candidate.program(), List.of()),
                            attempt,
                            true)) {
                LOG.log(Level.DEBUG, "{0} works", probe.name());
                probes.add(new RuntimeProbe(candidate, true, ""));
                return attempt;
            } catch (SandboxException e) {
                probes.add(new RuntimeProbe(candidate, false, String.valueOf(e.getMessage())));
            }
        }
        throw new SandboxException(
                Band.HOST, "no OCI runtime of this machine starts a sandbox: " + probes);
    }
}
