package dev.glovebox.server.session;

import dev.glovebox.protocol.ProblemException;
import dev.glovebox.protocol.event.StopReason;
import dev.glovebox.protocol.session.ModelUsage;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Takes the events of one request into a session, all or none: it runs inside one transaction, and
/// whatever it refuses undoes the rest.
///
/// Results are taken once. A worker that did not get our answer sends its result again, and a
/// second worker may have run the same call; both get the event that closed the call, as if theirs
/// had been it, because a refused result would pin them to the session. The exception is a call
/// that a person denied: its result must not exist.
final class Inbox {
    private final SessionEdit session;
    private boolean callsChanged;

    Inbox(SessionEdit session) {
        this.session = session;
    }

    /// Takes the events.
    ///
    /// @return each event as stored, in the order of the request
    List<ObjectNode> take(List<ClientEvent> events) {
        if (session.state() instanceof SessionState.Terminated) {
            throw ProblemException.invalid(
                    "session " + session.id() + " is terminated and takes no more events");
        }
        List<ObjectNode> stored = new ArrayList<>();
        for (ClientEvent event : events) {
            stored.add(
                    switch (event) {
                        case ClientEvent.Message(ObjectNode json) -> message(json);
                        case ClientEvent.SystemMessage(ObjectNode json) -> systemMessage(json);
                        case ClientEvent.Interrupt(ObjectNode json) -> interrupt(json);
                        case ClientEvent.Confirmation confirmation -> confirm(confirmation);
                        case ClientEvent.Result result -> result(result);
                    });
        }
        settle();
        return stored;
    }

    /// Takes the messages a session is created with: they all belong to its first turn.
    void takeInitial(List<ClientEvent> messages) {
        messages.forEach(message -> session.append(message.json()));
        session.begin();
    }

    private ObjectNode message(ObjectNode json) {
        if (session.state() instanceof SessionState.Idle idle && !idle.waitsForAnswers()) {
            EventRows.Row row = session.append(json);
            session.begin();
            return row.json();
        }
        return session.queue(json).json();
    }

    /// Goes the way of the event before it: into the log with a result, or into the queue with a
    /// queued message.
    private ObjectNode systemMessage(ObjectNode json) {
        return session.hasQueued() ? session.queue(json).json() : session.append(json).json();
    }

    private ObjectNode interrupt(ObjectNode json) {
        ObjectNode stored = session.append(json).json();
        boolean waits = session.state() instanceof SessionState.Idle idle && idle.waitsForAnswers();
        if (session.state().busy() || waits) {
            session.closeSpan(true, ModelUsage.NONE);
            for (Calls.Call call : session.openCalls()) {
                close(
                        call,
                        session.append(
                                Events.answer(
                                        call.kind(),
                                        call.id(),
                                        "The call was interrupted by the user.")));
            }
            callsChanged = false;
            session.rest(new StopReason.EndTurn());
            session.cancelTurn();
            if (session.processNextQueued()) {
                session.begin();
            }
        }
        return stored;
    }

    private ObjectNode confirm(ClientEvent.Confirmation event) {
        Calls.Call call = find(event.callId(), event.path());
        if (call.confirmation() == Calls.Confirmation.NONE) {
            throw invalid(event.path(), "call " + call.id() + " does not ask for confirmation");
        }
        Calls.Confirmation verdict =
                event.allowed() ? Calls.Confirmation.ALLOW : Calls.Confirmation.DENY;
        if (call.confirmation() != Calls.Confirmation.WANTED || !call.open()) {
            if (call.confirmation() == verdict) {
                return repeated(call, event.json());
            }
            throw invalid(event.path(), "call " + call.id() + " does not wait for confirmation");
        }
        EventRows.Row row = session.append(event.json());
        Calls.confirm(session.transaction().handle(), call.id(), verdict);
        if (event.allowed()) {
            session.callWorker();
        } else {
            String text =
                    event.why().orElse("Permission to use " + call.name() + " has been denied.");
            close(call, session.append(Events.refusal(call.id(), text)));
        }
        return row.json();
    }

    /// The confirmation that was taken the first time.
    private ObjectNode repeated(Calls.Call call, ObjectNode sent) {
        return EventRows.confirmation(session.transaction().handle(), session.id(), call.id())
                .map(EventRows.Row::json)
                .orElse(sent);
    }

    private ObjectNode result(ClientEvent.Result event) {
        if (event.kind() == Calls.Kind.SANDBOX && !session.selfHosted()) {
            throw invalid(event.path(), "only sessions on self-hosted environments take results");
        }
        Calls.Call call = find(event.callId(), event.path());
        if (call.kind() != event.kind()) {
            throw invalid(event.path(), "call " + call.id() + " is not answered by this type");
        }
        String answer = call.answerId();
        if (answer != null) {
            if (call.confirmation() == Calls.Confirmation.DENY) {
                throw invalid(event.path(), "call " + call.id() + " was denied");
            }
            return EventRows.require(session.transaction().handle(), answer).json();
        }
        if (call.confirmation() == Calls.Confirmation.WANTED) {
            throw invalid(event.path(), "call " + call.id() + " waits for confirmation");
        }
        EventRows.Row row = session.append(event.json());
        close(call, row);
        return row.json();
    }

    private void close(Calls.Call call, EventRows.Row answer) {
        Calls.close(session.transaction().handle(), call.id(), answer.id(), answer.type());
        callsChanged = true;
    }

    private Calls.Call find(String callId, String path) {
        return Calls.find(session.transaction().handle(), session.id(), callId)
                .orElseThrow(() -> invalid(path, "no call " + callId + " waits in this session"));
    }

    private static ProblemException invalid(String path, String what) {
        return ProblemException.invalid(path + ": " + what);
    }

    /// Goes on when the last open call is answered; tells the rest when only some are.
    private void settle() {
        boolean waits = session.state() instanceof SessionState.Idle idle && idle.waitsForAnswers();
        if (!callsChanged || !waits) {
            return;
        }
        List<String> open = session.openCalls().stream().map(Calls.Call::id).toList();
        if (open.isEmpty()) {
            session.begin();
        } else {
            session.rest(new StopReason.RequiresAction(open));
        }
    }
}
