package dev.glovebox.worker;

import dev.glovebox.egress.Denial;
import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Binding;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.SandboxState;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.pool.WarmPool;
import dev.glovebox.worker.operator.CallLog;
import dev.glovebox.worker.operator.LiveSandbox;
import dev.glovebox.worker.operator.Roster;
import dev.glovebox.worker.policy.SessionPolicy;
import dev.glovebox.worker.shell.ShellEnvironment;
import dev.glovebox.worker.tool.CallNotes;
import dev.glovebox.worker.tool.Toolset;
import dev.glovebox.workspace.Workspace;
import dev.glovebox.workspace.Workspaces;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/// Where a session's calls run: a workspace, a door and a sandbox, opened in this order and closed
/// in the other, and the tools that work in them.
final class Place implements AutoCloseable, CallNotes {
    private static final String ROOT = "/workspace";
    private static final long MEBI = 1L << 20;

    private final Closing closing;
    private final LiveSandbox live;
    private final Door door;
    private final Sandbox sandbox;
    private final Toolset tools;
    private final AtomicLong oomKills;
    private final long memoryBytes;

    private Place(
            Closing closing, Door door, Sandbox sandbox, PlaceConfig config, LiveSandbox live) {
        this.closing = closing;
        this.live = live;
        this.door = door;
        this.sandbox = sandbox;
        this.memoryBytes = config.limits().memoryBytes();
        this.oomKills = new AtomicLong(sandbox.oomKills());
        this.tools =
                new Toolset(
                        sandbox,
                        new ShellEnvironment(ROOT, sandbox.environment()),
                        config.tools(),
                        this);
    }

    /// Opens all of it, or leaves nothing behind.
    ///
    /// @param name of this place's sandbox and door, unlike that of any other living one, should
    ///   they be made for it
    /// @param warm gives a sandbox that waited for a session; if there is none, it returns when one
    ///   can be started
    /// @param policy what the session may reach
    /// @param log of the session's calls, for operators
    static Place open(
            String sessionId,
            String name,
            PlaceConfig config,
            Rooms rooms,
            Function<Binding, Optional<WarmPool.Claimed<WarmDoor>>> warm,
            SessionPolicy policy,
            CallLog log) {
        Closing closing = new Closing();
        try {
            policy.await();
            closing.add(rooms.holds().take(sessionId));
            Workspace workspace = closing.add(rooms.workspaces().open(sessionId));
            List<Mount> mounts = List.of(new Mount(workspace.directory(), ROOT, false));
            Optional<WarmPool.Claimed<WarmDoor>> ready =
                    warm.apply(new Binding(mounts, config.limits(), Map.of()));
            Door door =
                    closing.add(
                            ready.map(one -> one.network().door())
                                    .orElseGet(
                                            () -> rooms.doors().open(name, EgressPolicy.DENY_ALL)));
            Sandbox waiting = ready.map(WarmPool.Claimed::sandbox).map(closing::add).orElse(null);
            door.session(sessionId);
            closing.add(policy.bind(door::policy));
            Sandbox sandbox =
                    waiting == null
                            ? closing.add(cold(name, config, mounts, door, rooms))
                            : waiting;
            LiveSandbox live =
                    new LiveSandbox(
                            sessionId,
                            sandbox,
                            policy,
                            config.template(),
                            config.limits(),
                            door,
                            log);
            closing.add(rooms.roster().add(live));
            return new Place(closing, door, sandbox, config, live);
        } catch (RuntimeException e) {
            closing.close();
            throw e;
        }
    }

    private static Sandbox cold(
            String name, PlaceConfig config, List<Mount> mounts, Door door, Rooms rooms) {
        DoorCertificates certificates = DoorCertificates.of(door.trustFiles(), config.template());
        List<Mount> all = new ArrayList<>(mounts);
        all.addAll(certificates.mounts());
        return rooms.sandboxes()
                .create(
                        new SandboxSpec(
                                name,
                                config.template(),
                                all,
                                Optional.of(door.networkNamespace()),
                                config.limits(),
                                DoorVariables.of(certificates, config.proxyVariables())));
    }

    /// What places are made of; shared by all of a worker, and open longer than any of them.
    record Rooms(
            Sandboxes sandboxes,
            Doors doors,
            Workspaces workspaces,
            SessionHolds holds,
            Roster roster) {}

    /// The tools that work here.
    Toolset tools() {
        return tools;
    }

    /// Says which call runs in here from now on, for the audit records; empty: none.
    void running(Optional<String> call) {
        door.call(call);
    }

    /// Whether the sandbox still runs.
    boolean alive() {
        return sandbox.guest().isOpen();
    }

    /// Whether the operator has paused the sandbox, so that it takes no calls.
    boolean paused() {
        return sandbox.state() instanceof SandboxState.Paused;
    }

    /// Whether an operator has ended the sandbox.
    boolean deleted() {
        return live.deleted();
    }

    /// How long the sandbox was allowed to be there, if it has ended for that, to be said; else
    /// nothing.
    String timeUp() {
        return sandbox.state()
                        instanceof SandboxState.Ended(_, SandboxState.Reason.TimeUp(var most))
                ? " after the " + most.toSeconds() + " s that one may take"
                : "";
    }

    /// Whether a process was killed for want of memory since somebody last asked.
    boolean ranOutOfMemory() {
        long now = sandbox.oomKills();
        return oomKills.getAndSet(now) < now;
    }

    @Override
    public List<String> since(Instant start) {
        List<String> lines = new ArrayList<>(refused(start));
        if (ranOutOfMemory()) {
            lines.add(
                    "[out of memory: a process was killed, the limit is "
                            + memoryBytes / MEBI
                            + " MiB]");
        }
        return lines;
    }

    /// One line for each destination, with the first reason.
    private List<String> refused(Instant start) {
        Map<String, String> reasons = new LinkedHashMap<>();
        for (Denial denial : door.denialsSince(start)) {
            reasons.putIfAbsent(denial.where(), denial.reason());
        }
        return reasons.entrySet().stream()
                .map(each -> "[refused: " + each.getKey() + ", " + each.getValue() + "]")
                .toList();
    }

    @Override
    public void close() {
        closing.close();
    }
}
