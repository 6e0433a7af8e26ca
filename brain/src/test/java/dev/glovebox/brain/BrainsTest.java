package dev.glovebox.brain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.brain.Brain.Next;
import dev.glovebox.protocol.brain.Brain.Retry;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class BrainsTest {
    private final RecordedOutput output = new RecordedOutput();

    @Test
    void scriptModel_needsNoCredentials() throws Exception {
        try (Brains brains = new Brains(Optional.empty())) {
            Next next =
                    brains.step(
                            Sessions.request(
                                    ScriptedBrain.MODEL_ID,
                                    List.of(Sessions.says("{\"steps\":[{\"say\":\"a\"}]}"))),
                            output);
            assertThat(next).isEqualTo(new Next.EndTurn());
            assertThat(output.acts).containsExactly("says a");
        }
    }

    @Test
    void otherModelWithoutCredentials_saysWhatIsMissing() throws Exception {
        try (Brains brains = new Brains(Optional.empty())) {
            assertThat(
                            brains.step(
                                    Sessions.request("claude-x", List.of(Sessions.says("hi"))),
                                    output))
                    .isInstanceOfSatisfying(
                            Next.Failed.class,
                            f -> {
                                assertThat(f.retry()).isEqualTo(Retry.EXHAUSTED);
                                assertThat(f.message())
                                        .contains("claude-x", MessagesConfig.KEY_FILE);
                            });
        }
    }

    @Test
    void otherModelWithCredentials_isAsked() throws Exception {
        try (FakeMessages api = new FakeMessages();
                Brains brains =
                        new Brains(Optional.of(MessagesConfig.of(api.url(), FakeMessages.KEY)))) {
            api.then(new FakeMessages.Stream(new ReplyEvents().text("hello").stop("end_turn")));
            brains.step(Sessions.request("claude-x", List.of(Sessions.says("hi"))), output);
            assertThat(output.acts).containsExactly("says hello");
            assertThat(api.requests().getFirst().path("model").asString("")).isEqualTo("claude-x");
        }
    }
}
