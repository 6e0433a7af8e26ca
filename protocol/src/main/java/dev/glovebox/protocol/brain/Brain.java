package dev.glovebox.protocol.brain;

import dev.glovebox.protocol.agent.SessionAgent;
import dev.glovebox.protocol.event.ContentBlock;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.session.ModelUsage;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// The port between the control plane, which keeps a session's log, and an agent loop, which
/// decides what comes next in it.
///
/// A brain keeps no state of its own: all it knows is the history it is given, so a control plane
/// that crashed in the middle of a turn asks again and loses nothing. Permissions are the control
/// plane's business: it evaluates each call the brain makes.
public interface Brain {
    /// Takes one step: one model request, or its equivalent.
    ///
    /// Called on a virtual thread of its own. An interrupt of that thread means the turn is
    /// cancelled: return or throw promptly; what was not yet given to `output` is dropped.
    ///
    /// @param request the session so far; every tool call in its history is answered
    /// @param output takes what the agent says and calls, in order
    /// @return what the control plane does next
    Next step(Request request, Output output) throws InterruptedException;

    /// A session as the brain sees it.
    ///
    /// @param sessionId for logs and request metadata
    /// @param history every processed event in order, the client's own included
    record Request(String sessionId, SessionAgent agent, List<Event> history) {
        public Request {
            history = List.copyOf(history);
        }
    }

    /// Where the agent's acts go. Each call returns after the control plane has taken note; none
    /// blocks for long.
    interface Output {
        /// The agent's words, as one `agent.message`.
        void message(List<ContentBlock> content);

        /// A piece of the message being written, for streams that asked for previews; the whole
        /// follows as [#message].
        void textDelta(String text);

        /// A signal that the agent thinks.
        void thinking();

        /// A call of a tool, sandbox or custom, by name. Several in one step are a parallel call.
        void toolUse(String name, ObjectNode input);

        /// What the request consumed.
        void usage(ModelUsage usage);
    }

    /// What the control plane does after a step.
    sealed interface Next {
        /// The calls of this step wait for their results; step again when all are answered.
        record AwaitResults() implements Next {}

        /// Step again at once.
        record Continue() implements Next {}

        /// The turn is over.
        record EndTurn() implements Next {}

        /// The model refused.
        ///
        /// @param category such as `cyber`
        record Refusal(Optional<String> category, Optional<String> explanation) implements Next {}

        /// The step failed.
        ///
        /// @param errorType a `session.error` type, such as `model_overloaded_error`
        /// @param message for the session's owner
        /// @param retry what the platform does about it
        record Failed(String errorType, String message, Retry retry) implements Next {}
    }

    /// What follows a failure.
    enum Retry {
        /// Worth another try after a pause.
        RETRYING,
        /// Tried enough: the turn is dead, the session goes idle.
        EXHAUSTED,
        /// The session cannot go on.
        TERMINAL
    }
}
