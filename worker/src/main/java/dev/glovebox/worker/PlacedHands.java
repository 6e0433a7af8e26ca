package dev.glovebox.worker;

import dev.glovebox.protocol.Json;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.worker.operator.CallLog;
import dev.glovebox.worker.policy.SessionPolicy;
import dev.glovebox.worker.policy.SessionPolicyException;
import dev.glovebox.worker.session.Hands;
import dev.glovebox.worker.session.ToolCall;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.tool.ToolResult;
import dev.glovebox.worker.tool.Toolset;
import java.lang.System.Logger.Level;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Runs a session's calls in its place.
///
/// The place is opened on a thread of its own as soon as the session is claimed, beside the first
/// requests to the control plane. If it cannot be opened, or its sandbox ends on the way, the call
/// that meets this gets an error result and the next call opens a new place, with the same files.
/// Used by one thread.
final class PlacedHands implements Hands {
    private static final System.Logger LOG = System.getLogger(PlacedHands.class.getName());

    private final String sessionId;
    private final Supplier<Place> source;
    private final SessionPolicy policy;
    private final CallLog log;
    private @Nullable FutureTask<Place> place;

    private PlacedHands(
            String sessionId, Supplier<Place> source, SessionPolicy policy, CallLog log) {
        this.sessionId = sessionId;
        this.source = source;
        this.policy = policy;
        this.log = log;
    }

    /// Hands whose place is being opened from now on.
    ///
    /// @param source opens a place; called again after a failure
    /// @param policy what the session may reach
    /// @param log where calls are remembered for operators
    static PlacedHands open(
            String sessionId, Supplier<Place> source, SessionPolicy policy, CallLog log) {
        PlacedHands hands = new PlacedHands(sessionId, source, policy, log);
        hands.place = hands.opening();
        return hands;
    }

    @Override
    public void session(JsonNode session) {
        policy.wished(session.path("metadata"));
    }

    @Override
    public boolean knows(String tool) {
        return Toolset.NAMES.contains(tool);
    }

    @Override
    public ToolResult run(ToolCall call, Cancellation cancellation) {
        CallLog.Running entry = log.begin("agent", call.name(), inWords(call.input()));
        ToolResult result = ToolResult.error(call.name() + ": internal fault of the worker");
        try {
            result = runInPlace(call, cancellation);
            return result;
        } finally {
            entry.end(result.error() ? "error" : "ok", result.text());
        }
    }

    private ToolResult runInPlace(ToolCall call, Cancellation cancellation) {
        Optional<String> refusal = policy.refusal();
        if (refusal.isPresent()) {
            return ToolResult.error(unavailable(refusal.get()));
        }
        Place current;
        try {
            FutureTask<Place> opening = place == null ? opening() : place;
            place = opening;
            current = opening.get();
        } catch (ExecutionException e) {
            place = null;
            tell(e.getCause());
            return ToolResult.error(unavailable(e.getCause()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return ToolResult.error(call.name() + ": interrupted");
        }
        if (current.paused()) {
            return ToolResult.error(
                    call.name()
                            + ": the sandbox is paused by the operator of this worker, try again"
                            + " later");
        }
        current.running(Optional.of(call.id()));
        try {
            return current.tools().call(call.name(), call.input(), cancellation);
        } catch (GuestException e) {
            if (current.alive()) {
                LOG.log(Level.WARNING, "call " + call.id() + " of " + sessionId, e);
                return ToolResult.error(call.name() + ": sandbox failed: " + e.code());
            }
            return ToolResult.error(ended(current));
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "call " + call.id() + " of " + sessionId + " met a fault", e);
            return ToolResult.error(call.name() + ": internal fault of the worker");
        } finally {
            current.running(Optional.empty());
        }
    }

    @Override
    public void close() {
        FutureTask<Place> last = place;
        place = null;
        policy.left();
        if (last == null) {
            return;
        }
        try {
            last.get().close();
        } catch (ExecutionException e) {
            LOG.log(Level.DEBUG, "no place to close", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            Thread.ofVirtual().name("close-" + sessionId).start(() -> closeLate(last));
        }
    }

    private static void closeLate(FutureTask<Place> place) {
        try {
            place.get().close();
        } catch (ExecutionException | InterruptedException e) {
            LOG.log(Level.DEBUG, "no place to close", e);
        }
    }

    private FutureTask<Place> opening() {
        FutureTask<Place> task = new FutureTask<>(source::get);
        Thread.ofVirtual().name("place-" + sessionId).start(task);
        return task;
    }

    private String ended(Place dead) {
        boolean memory = dead.ranOutOfMemory();
        boolean deleted = dead.deleted();
        LOG.log(Level.WARNING, "sandbox of {0} has ended, memory {1}", sessionId, memory);
        dead.close();
        place = null;
        return "sandbox ended"
                + (memory ? " for want of memory" : deleted ? " by the operator" : dead.timeUp())
                + "; the next call starts a new one, in which /workspace is as it was";
    }

    /// What a call asks for: its command, or else all of its input.
    private static String inWords(ObjectNode input) {
        String command = input.path("command").asString("");
        return command.isEmpty() ? Json.write(input) : command;
    }

    /// A template that cannot be prepared has been told of where that was tried.
    private void tell(@Nullable Throwable cause) {
        if (cause instanceof SandboxException e && e.band() == SandboxException.Band.TEMPLATE) {
            LOG.log(Level.INFO, "no place for {0}: {1}", sessionId, e.getMessage());
        } else {
            LOG.log(Level.ERROR, "no place for " + sessionId, cause);
        }
    }

    /// For the agent: who is to blame, but nothing about the host.
    private static String unavailable(@Nullable Throwable cause) {
        return switch (cause) {
            case SessionPolicyException e -> unavailable(String.valueOf(e.getMessage()));
            case SandboxException e when e.band() == SandboxException.Band.CAPACITY ->
                    unavailable("this machine is full, try again later");
            case SandboxException e when e.band() == SandboxException.Band.TEMPLATE ->
                    unavailable(
                            "what sandboxes are made of could not be prepared, the operator of this"
                                    + " worker has been told");
            case null, default -> unavailable("this machine cannot start one now");
        };
    }

    private static String unavailable(String reason) {
        return "sandbox unavailable: " + reason;
    }
}
