package dev.glovebox.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.event.AgentEvent;
import dev.glovebox.protocol.event.ContentBlock;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.event.SessionEvent;
import dev.glovebox.protocol.event.StopReason;
import dev.glovebox.protocol.event.UnknownEvent;
import dev.glovebox.protocol.event.UserEvent;
import dev.glovebox.protocol.work.WorkSecret;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class JsonTest {
    private static final Instant TIME = Instant.parse("2026-11-20T10:00:00.123456Z");

    @Test
    void everyMemberOfAnEventSurvivesARoundTrip() {
        List<Event> events =
                List.of(
                        new UserEvent.Message("sevt_1", ContentBlock.text("hi"), TIME),
                        new UserEvent.ToolResult(
                                null,
                                "sevt_2",
                                ContentBlock.text("x"),
                                true,
                                Optional.empty(),
                                null),
                        new AgentEvent.ToolUse(
                                "sevt_2",
                                "bash",
                                Json.object().put("command", "ls"),
                                Optional.of(AgentEvent.Permission.ASK),
                                Optional.empty(),
                                Optional.empty(),
                                TIME),
                        new SessionEvent.Idle(
                                "sevt_3",
                                new StopReason.RequiresAction(List.of("sevt_2")),
                                null,
                                TIME));
        for (Event event : events) {
            assertThat(Json.read(Json.write(event), Event.class)).isEqualTo(event);
        }
    }

    @Test
    void anIdleEventHasTheShapeOfTheWire() {
        assertThat(
                        Json.write(
                                new SessionEvent.Idle(
                                        "sevt_1", new StopReason.EndTurn(), null, TIME)))
                .isEqualTo(
                        "{\"id\":\"sevt_1\",\"stop_reason\":{\"type\":\"end_turn\"},"
                                + "\"stop_details\":null,\"processed_at\":\"2026-11-20T10:00:00.123456Z\","
                                + "\"type\":\"session.status_idle\"}");
    }

    @Test
    void anAbsentOptionalIsLeftOutAndANullIsWritten() {
        assertThat(Json.write(new UserEvent.Interrupt("sevt_1", Optional.empty(), null)))
                .isEqualTo("{\"id\":\"sevt_1\",\"processed_at\":null,\"type\":\"user.interrupt\"}");
    }

    @Test
    void anEventOfALaterVersionIsKeptWhole() {
        String text = "{\"type\":\"agent.dance\",\"id\":\"sevt_9\",\"steps\":[1,2]}";
        Event event = Json.read(text, Event.class);
        assertThat(event).isInstanceOf(UnknownEvent.class);
        assertThat(event.id()).isEqualTo("sevt_9");
        assertThat(event.type()).isEqualTo("agent.dance");
        assertThat(Json.write(event)).isEqualTo(text);
    }

    @Test
    void aPermissionWordOfALaterVersionAsks() {
        Event event =
                Json.read(
                        "{\"type\":\"agent.tool_use\",\"id\":\"s\",\"name\":\"bash\",\"input\":{},"
                                + "\"evaluated_permission\":\"perhaps\"}",
                        Event.class);
        assertThat(((AgentEvent.ToolUse) event).evaluatedPermission())
                .contains(AgentEvent.Permission.ASK);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "{",
                "[1,2",
                "{\"type\":\"user.message\"}",
                "{\"type\":\"user.message\",\"content\":\"text\"}",
                "{\"type\":\"user.message\",\"content\":[{\"text\":\"x\"}]}",
                "{\"type\":\"user.message\",\"type\":\"user.interrupt\"}",
                "{\"type\":7}",
                "{} {}",
                "\"text\""
            })
    void whatIsNotAnEventIsRefusedWithAMessageThatShowsNoJava(String text) {
        assertThatThrownBy(() -> Json.read(text, Event.class))
                .isInstanceOf(JsonException.class)
                .message()
                .doesNotContain("dev.glovebox")
                .doesNotContain("java.");
    }

    @Test
    void aNestingBombIsRefused() {
        assertThatThrownBy(() -> Json.tree("[".repeat(100_000))).isInstanceOf(JsonException.class);
    }

    @Test
    void aWorkSecretIsReadWithAndWithoutPaddingAndNeverPrinted() {
        WorkSecret secret = new WorkSecret(new Secret("sk-ant-req-t1"));
        String encoded = secret.encode();
        assertThat(WorkSecret.decode(encoded)).contains(secret);
        assertThat(WorkSecret.decode(encoded + "==")).contains(secret);
        assertThat(WorkSecret.decode("sk-ant-req-t1")).isEmpty();
        assertThat(secret.toString()).doesNotContain("sk-ant");
    }
}
