package dev.glovebox.server.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.event.StopReason;
import dev.glovebox.protocol.session.SessionStatus;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// Every transition from every state: the legal ones arrive, all others are refused.
class SessionStateTest {
    private static final Map<String, SessionState> STATES =
            Map.of(
                    "new", new SessionState.Idle(Optional.empty()),
                    "ended", new SessionState.Idle(Optional.of(new StopReason.EndTurn())),
                    "waiting",
                            new SessionState.Idle(
                                    Optional.of(new StopReason.RequiresAction(List.of("sevt_1")))),
                    "running", new SessionState.Running(),
                    "rescheduling", new SessionState.Rescheduling(),
                    "terminated", new SessionState.Terminated());

    private static final Map<String, UnaryOperator<SessionState>> MOVES =
            Map.of(
                    "begin", SessionState::begin,
                    "rest", s -> s.rest(new StopReason.EndTurn()),
                    "reschedule", SessionState::reschedule,
                    "terminate", SessionState::terminate);

    private static final Map<String, SessionStatus> LEGAL =
            Map.ofEntries(
                    Map.entry("new begin", SessionStatus.RUNNING),
                    Map.entry("new terminate", SessionStatus.TERMINATED),
                    Map.entry("ended begin", SessionStatus.RUNNING),
                    Map.entry("ended terminate", SessionStatus.TERMINATED),
                    Map.entry("waiting begin", SessionStatus.RUNNING),
                    Map.entry("waiting rest", SessionStatus.IDLE),
                    Map.entry("waiting terminate", SessionStatus.TERMINATED),
                    Map.entry("running rest", SessionStatus.IDLE),
                    Map.entry("running reschedule", SessionStatus.RESCHEDULING),
                    Map.entry("running terminate", SessionStatus.TERMINATED),
                    Map.entry("rescheduling begin", SessionStatus.RUNNING),
                    Map.entry("rescheduling rest", SessionStatus.IDLE),
                    Map.entry("rescheduling terminate", SessionStatus.TERMINATED));

    @TestFactory
    Stream<DynamicTest> transitions() {
        return STATES.keySet().stream()
                .flatMap(state -> MOVES.keySet().stream().map(move -> test(state, move)));
    }

    private static DynamicTest test(String state, String move) {
        SessionState from = STATES.getOrDefault(state, new SessionState.Terminated());
        UnaryOperator<SessionState> step = MOVES.getOrDefault(move, UnaryOperator.identity());
        SessionStatus arrives = LEGAL.get(state + " " + move);
        return DynamicTest.dynamicTest(
                state + " " + move,
                () -> {
                    if (arrives == null) {
                        assertThatThrownBy(() -> step.apply(from))
                                .isInstanceOf(SessionState.IllegalTransition.class)
                                .hasMessageContaining(from.status().wire());
                    } else {
                        assertThat(step.apply(from).status()).isEqualTo(arrives);
                    }
                });
    }
}
