package dev.glovebox.protocol.event;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.glovebox.protocol.Union;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// Why a session went idle.
@JsonIgnoreProperties(value = "type", allowGetters = true)
public sealed interface StopReason {
    /// The reasons this version knows.
    // class literals and method references do not initialise the members, so there is no cycle
    @SuppressWarnings("ClassInitializationDeadlock")
    Union<StopReason> UNION =
            new Union<>(
                    Map.of(
                            "end_turn", EndTurn.class,
                            "requires_action", RequiresAction.class,
                            "retries_exhausted", RetriesExhausted.class,
                            "budget_reached", BudgetReached.class,
                            "refusal", Refusal.class),
                    Unknown::new);

    /// The wire name, such as `end_turn`.
    @JsonProperty("type")
    default String type() {
        return UNION.typeOf(getClass());
    }

    /// The agent has finished its turn.
    record EndTurn() implements StopReason {}

    /// Calls wait for a client: a result, or a confirmation.
    ///
    /// @param eventIds ids of the tool-use events that wait
    record RequiresAction(List<String> eventIds) implements StopReason {
        public RequiresAction {
            eventIds = Required.list("event_ids", eventIds);
        }
    }

    /// The platform tried again until it gave the turn up.
    record RetriesExhausted() implements StopReason {}

    /// The session's budget is used up.
    record BudgetReached() implements StopReason {}

    /// The model refused.
    record Refusal() implements StopReason {}

    /// A reason of a later version; it ends the turn.
    record Unknown(String type, @JsonValue ObjectNode json) implements StopReason {}
}
