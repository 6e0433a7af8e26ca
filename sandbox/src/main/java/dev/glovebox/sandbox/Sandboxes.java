package dev.glovebox.sandbox;

import dev.glovebox.linux.cgroup.Cgroups;
import dev.glovebox.linux.cgroup.OwnCpuGroup;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.cpu.Contender;
import dev.glovebox.sandbox.cpu.Precedence;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.launch.IdBlocks;
import dev.glovebox.sandbox.launch.Order;
import dev.glovebox.sandbox.launch.Preparation;
import dev.glovebox.sandbox.root.BaseRoot;
import dev.glovebox.sandbox.root.RootLayers;
import dev.glovebox.sandbox.template.TemplateRoots;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/// All sandboxes of one worker process.
///
/// Opening finds the first runtime of this machine that starts a sandbox which is as promised, and
/// ends whatever an earlier worker with the same state directory left. Other runtimes are tried
/// when a template first asks for one. A sandbox is handed out only after it has been compared,
/// from inside, with what it must be ([Attestation]); there is no way to run anything in one that
/// was not.
///
/// While it is open, this process lies in a control group beside those of its sandboxes, where the
/// host has version 1 of them, and sandboxes that use little of the processors go before those that
/// use much ([Precedence]). Thread-safe.
public final class Sandboxes implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Sandboxes.class.getName());

    /// The weight of this process beside its sandboxes, of which each has 1,024.
    private static final int OWN_SHARES = 10_240;

    private final StateDirectory state;
    private final TemplateRoots roots;
    private final BaseRoot base;
    private final IdBlocks blocks = new IdBlocks();
    private final Set<String> names = ConcurrentHashMap.newKeySet();
    private final Map<String, Sandbox> living = new ConcurrentHashMap<>();
    private final Runtimes runtimes;
    private final Launch first;
    private final Optional<OwnCpuGroup> own;
    private final Precedence precedence;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Sandboxes(SandboxConfig config, StateDirectory state, Cgroups cgroups) {
        this.state = state;
        this.roots = new TemplateRoots(config.images());
        roots.removeLeftovers();
        this.base = BaseRoot.prepare(state.base());
        this.runtimes =
                new Runtimes(
                        config.runtime(),
                        found -> new Launch(state, base, cgroups, found, config.startTimeout()),
                        (name, launch) -> create(Order.trial(name), launch, true).close());
        this.first = runtimes.byDefault();
        this.own = cgroups.legacy() ? enter(state) : Optional.empty();
        this.precedence = new Precedence(state.group(), this::contenders);
    }

    private static Optional<OwnCpuGroup> enter(StateDirectory state) {
        try {
            return Optional.of(OwnCpuGroup.enter(state.ownGroup(), OWN_SHARES));
        } catch (IOException e) {
            LOG.log(Level.WARNING, "this process is not weighed beside its sandboxes", e);
            return Optional.empty();
        }
    }

    private List<Contender> contenders() {
        return living.values().stream().map(Sandbox::contender).toList();
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
    /// @throws SandboxException with nothing left behind; [Band#TEMPLATE] if its template has a
    ///   command that has not run yet ([#prepare])
    public Sandbox create(SandboxSpec spec) {
        return create(spec, roots.of(spec.template()));
    }

    /// Like [#create(SandboxSpec)], of these layers.
    Sandbox create(SandboxSpec spec, RootLayers layers) {
        return create(Order.of(spec, layers), runtimes.of(spec.template()), true);
    }

    /// Whether sandboxes of a template can be started without [#prepare].
    ///
    /// @throws SandboxException [Band#TEMPLATE] for a reference of an image that is none
    public boolean isPrepared(Template template) {
        return roots.isPrepared(template);
    }

    /// Gets ready what sandboxes of a template are made of, if that has not been done: its image is
    /// had, and its command run, as root of a sandbox of this specification ([Profile#DEV] at
    /// least), whose root then is a layer of every later sandbox of the template.
    ///
    /// @param spec what the command may reach and use; nothing of its mounts and environment gets
    ///   into the layer unless the command puts it there
    /// @param progress is told, on this thread or another, what takes longer than a moment
    /// @throws SandboxException [Band#TEMPLATE] if the image cannot be had, or with the last output
    ///   of the command if it fails; there is no layer then
    public void prepare(SandboxSpec spec, Consumer<String> progress) {
        roots.prepare(spec.template(), (below, upper) -> prepare(spec, below, upper, progress));
    }

    /// Like [#prepare(SandboxSpec, Consumer)], over these layers.
    ///
    /// @param upper absolute, not there yet; becomes the layer, to be used as the topmost of
    ///   `layers` and nothing else. What overlayfs worked in is left beside it, and of a command
    ///   that failed what it wrote, for the caller to take away
    void prepare(SandboxSpec spec, RootLayers layers, Path upper, Consumer<String> progress) {
        Template template = spec.template();
        Launch launch = runtimes.of(template);
        SandboxSpec preparing =
                new SandboxSpec(
                        spec.name(),
                        template.preparing(),
                        spec.mounts(),
                        spec.networkNamespace(),
                        spec.limits(),
                        spec.environment());
        try {
            base.prepareKept(upper, template.root() instanceof Root.Host);
        } catch (IOException e) {
            throw new SandboxException(Band.HOST, "cannot prepare a layer at " + upper, e);
        }
        try (Sandbox sandbox = create(Order.keeping(preparing, layers, upper), launch, true)) {
            Preparation.run(sandbox, template, progress);
        }
    }

    /// Starts a sandbox that belongs to no session yet. Nothing can be started in it before
    /// [Sandbox#bind].
    ///
    /// @param spec whose mounts hold nothing of any session
    /// @throws SandboxException with nothing left behind; [Band#CALLER] if the runtime is one in
    ///   which nothing can be mounted later ([#bindsLater])
    public Sandbox createUnbound(SandboxSpec spec) {
        if (!bindsLater(spec.template())) {
            throw new SandboxException(
                    Band.CALLER,
                    "sandbox " + spec.name() + " has a runtime that binds no mounts later");
        }
        return create(
                Order.of(spec, roots.of(spec.template())), runtimes.of(spec.template()), false);
    }

    /// Whether a sandbox of this template can be started before it is known whose it will be. One
    /// of gVisor cannot: its kernel does not see what is mounted on the host after its start.
    public boolean bindsLater(Template template) {
        return runtimes.of(template).runtime() != RuntimeName.RUNSC;
    }

    /// The runtime in use where a template names none.
    public RuntimeName runtime() {
        return first.runtime();
    }

    /// What became of the runtimes that were tried so far.
    public List<RuntimeProbe> probes() {
        return runtimes.probes();
    }

    /// Ends all sandboxes and lets the state directory go. A further call does nothing.
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        precedence.close();
        for (Sandbox sandbox : living.values()) {
            try {
                sandbox.close();
            } catch (SandboxException e) {
                LOG.log(Level.ERROR, "cannot end sandbox " + sandbox.name(), e);
            }
        }
        runtimes.close();
        own.ifPresent(OwnCpuGroup::close);
        state.close();
        blocks.close();
    }

    private Sandbox create(Order order, Launch start, boolean bound) {
        String name = order.spec().name();
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
            Launch.Started started = start.run(order, block);
            Sandbox sandbox =
                    new Sandbox(
                            order.spec(),
                            started.attestation(),
                            new Binder(
                                    order,
                                    started.guest(),
                                    state.group(name),
                                    block.firstHostId(),
                                    block.mounts(order.privileges().id() == 0)),
                            () -> end(name, block));
            if (bound) {
                sandbox.confine();
            } else {
                sandbox.stayUnbound();
            }
            living.put(name, sandbox);
            return sandbox;
        } catch (GuestException e) {
            end(name, block);
            throw new SandboxException(
                    Band.HOST, "cannot start sandbox " + name + ": " + e.getMessage(), e);
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
}
