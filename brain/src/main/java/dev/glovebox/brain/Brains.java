package dev.glovebox.brain;

import dev.glovebox.protocol.brain.Brain;
import java.util.Optional;

/// The brain of each session, chosen by its agent's model id: `glovebox-script` is the
/// [ScriptedBrain], every other id is a model behind the Messages API.
///
/// Without model credentials the scripted brain still works; a session on any other model fails its
/// turn with the reason, which its owner can mend and try again.
public final class Brains implements Brain, AutoCloseable {
    private final ScriptedBrain scripted = new ScriptedBrain();
    private final Optional<MessagesBrain> model;

    /// @param messages how to reach the Messages API, or empty for scripted sessions only
    public Brains(Optional<MessagesConfig> messages) {
        this.model = messages.map(MessagesBrain::new);
    }

    /// Brains as the environment variables of [MessagesConfig] ask for.
    ///
    /// @throws BrainException when a variable is wrong
    public static Brains fromEnvironment() {
        return new Brains(MessagesConfig.from(System.getenv()));
    }

    @Override
    public Next step(Request request, Output output) throws InterruptedException {
        if (request.agent().modelId().equals(ScriptedBrain.MODEL_ID)) {
            return scripted.step(request, output);
        }
        if (model.isEmpty()) {
            return new Next.Failed(
                    "model_request_failed_error",
                    "no credentials for model "
                            + request.agent().modelId()
                            + ": start the control plane with "
                            + MessagesConfig.KEY_FILE
                            + ", or use model "
                            + ScriptedBrain.MODEL_ID,
                    Retry.EXHAUSTED);
        }
        return model.get().step(request, output);
    }

    /// Drops pooled connections to the model.
    @Override
    public void close() {
        model.ifPresent(MessagesBrain::close);
    }
}
