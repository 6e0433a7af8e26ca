package dev.glovebox.server.session;

import dev.glovebox.protocol.agent.SessionAgent;
import dev.glovebox.protocol.agent.Tool;
import dev.glovebox.protocol.brain.Brain;
import dev.glovebox.protocol.event.ContentBlock;
import dev.glovebox.protocol.session.ModelUsage;
import dev.glovebox.server.store.Store;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/// Takes down what the brain says and calls in one step, and judges each call.
///
/// A call of a custom tool is the owner's to answer. A call of a sandbox tool is a worker's, once
/// it is permitted; a call of anything else is refused on the spot, with an event of its own like
/// any other call, so that the transcript stays whole.
final class TurnOutput implements Brain.Output {
    /// The tools that a worker runs.
    private static final Set<String> SANDBOX_TOOLS =
            Set.of("bash", "read", "write", "edit", "glob", "grep");

    private final Store store;
    private final SessionParts parts;
    private final SessionAgent agent;
    private final String sessionId;
    private final long number;
    private ModelUsage used = ModelUsage.NONE;

    TurnOutput(Store store, SessionParts parts, SessionAgent agent, String sessionId, long number) {
        this.store = store;
        this.parts = parts;
        this.agent = agent;
        this.sessionId = sessionId;
        this.number = number;
    }

    ModelUsage used() {
        return used;
    }

    /// Queues a change of the session; it comes to nothing when the turn is over by then.
    void edit(Consumer<SessionEdit> change) {
        var _ =
                store.submit(tx -> {
                    Optional<SessionEdit> found = SessionEdit.ofTurn(parts, tx, sessionId, number);
                    found.ifPresent(session -> {
                        change.accept(session);
                        session.save();
                    });
                    return found.isPresent();
                });
    }

    @Override
    public void message(List<ContentBlock> content) {
        ObjectNode event = Events.withContent("agent.message", content);
        edit(session -> session.append(event));
    }

    @Override
    public void textDelta(String text) {
        // previews are opt-in for clients and not served yet; the whole message follows anyway
    }

    @Override
    public void thinking() {
        edit(session -> session.append(Events.of("agent.thinking")));
    }

    @Override
    public void usage(ModelUsage usage) {
        used = usage;
    }

    @Override
    public void toolUse(String name, ObjectNode input) {
        boolean custom =
                agent.tools().stream()
                        .anyMatch(t -> t instanceof Tool.Custom c && c.name().equals(name));
        if (custom) {
            edit(session -> customCall(session, name, input));
        } else {
            Verdict verdict = judge(name);
            edit(session -> call(session, name, input, verdict));
        }
    }

    private static void customCall(SessionEdit session, String name, ObjectNode input) {
        ObjectNode event = Events.of("agent.custom_tool_use").put("name", name);
        event.set("input", input);
        session.openCall(session.append(event), Calls.Kind.CUSTOM, name, false);
    }

    private static void call(SessionEdit session, String name, ObjectNode input, Verdict verdict) {
        ObjectNode event = Events.of("agent.tool_use").put("name", name);
        event.set("input", input);
        Verdict judged = session.selfHosted() ? verdict : new Verdict("deny", Optional.empty());
        event.put("evaluated_permission", judged.permission());
        judged.policy().ifPresent(policy -> event.putObject("evaluation").put("type", policy));
        EventRows.Row row = session.append(event);
        if (judged.permission().equals("deny")) {
            session.append(
                    Events.refusal(row.id(), "Permission to use " + name + " has been denied."));
            return;
        }
        session.openCall(row, Calls.Kind.SANDBOX, name, judged.permission().equals("ask"));
        session.callWorker();
    }

    /// What is to become of a call.
    ///
    /// @param permission `allow`, `ask` or `deny`
    /// @param policy the policy that said so; empty when it was refused before any applied
    private record Verdict(String permission, Optional<String> policy) {}

    /// A policy of `auto` asks: this control plane has no judge of its own.
    private Verdict judge(String name) {
        if (!SANDBOX_TOOLS.contains(name)) {
            return new Verdict("deny", Optional.empty());
        }
        return agent.tools().stream()
                .filter(Tool.AgentToolset.class::isInstance)
                .map(t -> ((Tool.AgentToolset) t).resolve(name))
                .findFirst()
                .filter(Tool.DefaultConfig::enabled)
                .map(c ->
                        switch (c.permissionPolicy().type()) {
                            case ALWAYS_ALLOW -> new Verdict("allow", Optional.of("always_allow"));
                            case ALWAYS_ASK, AUTO -> new Verdict("ask", Optional.of("always_ask"));
                        })
                .orElse(new Verdict("deny", Optional.empty()));
    }
}
