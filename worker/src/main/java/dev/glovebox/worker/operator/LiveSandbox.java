package dev.glovebox.worker.operator;

import dev.glovebox.egress.Door;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.Template;
import dev.glovebox.worker.policy.SessionPolicy;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/// A sandbox of a session, in an operator's reach. Thread-safe.
public final class LiveSandbox {
    private final String sessionId;
    private final Sandbox sandbox;
    private final SessionPolicy policy;
    private final Template template;
    private final Limits limits;
    private final Door door;
    private final CallLog log;
    private final Instant since = Instant.now();
    private final AtomicInteger operators = new AtomicInteger();
    private volatile boolean deleted;

    /// @param policy what its session may reach
    /// @param limits that the sandbox has
    /// @param door of the sandbox
    /// @param log of the session's calls
    public LiveSandbox(
            String sessionId,
            Sandbox sandbox,
            SessionPolicy policy,
            Template template,
            Limits limits,
            Door door,
            CallLog log) {
        this.sessionId = sessionId;
        this.sandbox = sandbox;
        this.policy = policy;
        this.template = template;
        this.limits = limits;
        this.door = door;
        this.log = log;
    }

    /// Whether an operator has deleted it.
    public boolean deleted() {
        return deleted;
    }

    String name() {
        return sandbox.name();
    }

    String sessionId() {
        return sessionId;
    }

    Sandbox sandbox() {
        return sandbox;
    }

    Door door() {
        return door;
    }

    SessionPolicy policy() {
        return policy;
    }

    CallLog log() {
        return log;
    }

    /// Ends it; a call that runs in it gets an error result.
    void delete() {
        deleted = true;
        sandbox.close();
    }

    /// Takes a place for a command of an operator; false if all are taken.
    boolean enter(int most) {
        if (operators.incrementAndGet() > most) {
            operators.decrementAndGet();
            return false;
        }
        return true;
    }

    void leave() {
        operators.decrementAndGet();
    }

    SandboxView view() {
        String running = log.busyWith();
        return new SandboxView(
                name(),
                sessionId,
                template.name(),
                template.profile().name().toLowerCase(Locale.ROOT),
                sandbox.attestation().runtime().program(),
                state(running),
                running,
                since,
                sandbox.memoryUsed(),
                limits.memoryBytes(),
                sandbox.tasks(),
                limits.pids(),
                sandbox.cpuTime().toMillis(),
                sandbox.oomKills(),
                door.denialsSince(Instant.EPOCH).size(),
                log.agentCalls(),
                operators.get());
    }

    private String state(String running) {
        String state = sandbox.state().word();
        return state.equals("ready") && !running.isEmpty() ? "busy" : state;
    }
}
