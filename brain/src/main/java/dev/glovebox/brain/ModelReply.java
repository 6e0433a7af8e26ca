package dev.glovebox.brain;

import com.anthropic.errors.AnthropicInvalidDataException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.ContentBlock;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.RawContentBlockDelta;
import com.anthropic.models.messages.RawContentBlockStartEvent;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.RefusalStopDetails;
import com.anthropic.models.messages.StopReason;
import com.anthropic.models.messages.Usage;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.brain.Brain.Next;
import dev.glovebox.protocol.brain.Brain.Output;
import dev.glovebox.protocol.brain.Brain.Retry;
import dev.glovebox.protocol.session.ModelUsage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// One reply of the model, from its first streamed piece to what it means for the session.
///
/// Text is passed on piece by piece as a preview; messages and calls only once the reply has come
/// to its proper end, so a stream that breaks off has had no effect and the request can be made
/// again. Owned by the thread of the step.
final class ModelReply {
    private final MessageAccumulator whole = MessageAccumulator.create();
    private final Map<Long, StringBuilder> inputs = new HashMap<>();
    private final Output output;
    private final long maxOutputTokens;
    private boolean calling;
    private boolean stopped;

    ModelReply(Output output, long maxOutputTokens) {
        this.output = output;
        this.maxOutputTokens = maxOutputTokens;
    }

    /// Takes the next event of the stream.
    void accept(RawMessageStreamEvent event) {
        whole.accumulate(event);
        event.contentBlockStart().ifPresent(this::begins);
        event.contentBlockDelta().ifPresent(d -> piece(d.index(), d.delta()));
        stopped |= event.isMessageStop();
    }

    /// Hands the whole reply out and says what follows.
    Next finish() {
        if (!stopped) {
            return ModelErrors.broken("the model's reply broke off");
        }
        Message message = whole.message();
        output.usage(usage(message.usage()));
        return switch (message.stopReason().map(StopReason::value).orElse(null)) {
            case REFUSAL -> refusal(message);
            case MAX_TOKENS -> {
                say(message);
                yield ModelErrors.hopeless(
                        "the model's reply was cut off at " + maxOutputTokens + " output tokens");
            }
            case MODEL_CONTEXT_WINDOW_EXCEEDED -> {
                say(message);
                yield new Next.Failed(
                        "compaction_limit_reached_error",
                        "the session no longer fits the model's context window",
                        Retry.EXHAUSTED);
            }
            case PAUSE_TURN -> {
                act(message);
                yield new Next.Continue();
            }
            case null, default -> act(message) ? new Next.AwaitResults() : new Next.EndTurn();
        };
    }

    private void begins(RawContentBlockStartEvent start) {
        var block = start.contentBlock();
        calling |= block.isToolUse();
        if (block.isThinking() || block.isRedactedThinking()) {
            output.thinking();
        }
    }

    /// Text after a call belongs to a message of its own, of which there is no preview.
    private void piece(long index, RawContentBlockDelta delta) {
        if (delta.isInputJson()) {
            inputs.computeIfAbsent(index, _ -> new StringBuilder())
                    .append(delta.asInputJson().partialJson());
        }
        if (delta.isText() && !calling && !delta.asText().text().isEmpty()) {
            output.textDelta(delta.asText().text());
        }
    }

    /// The texts up to the first call: all that is kept of a reply that was cut off, since the
    /// input of its calls may be cut too.
    private void say(Message message) {
        StringBuilder text = new StringBuilder();
        for (ContentBlock block : message.content()) {
            if (block.isToolUse()) {
                break;
            }
            block.text().ifPresent(t -> text.append(t.text()));
        }
        List<Runnable> acts = new ArrayList<>();
        flush(text, acts);
        acts.forEach(Runnable::run);
    }

    /// Everything the model says and calls, in its order; nothing of it when the input of one call
    /// cannot be read.
    ///
    /// @return whether it calls anything
    private boolean act(Message message) {
        boolean calls = false;
        StringBuilder text = new StringBuilder();
        List<Runnable> acts = new ArrayList<>();
        for (int i = 0; i < message.content().size(); i++) {
            ContentBlock block = message.content().get(i);
            block.text().ifPresent(t -> text.append(t.text()));
            if (block.isToolUse()) {
                flush(text, acts);
                ObjectNode input = input(i);
                acts.add(() -> output.toolUse(block.asToolUse().name(), input));
                calls = true;
            }
        }
        flush(text, acts);
        acts.forEach(Runnable::run);
        return calls;
    }

    private void flush(StringBuilder pending, List<Runnable> acts) {
        String text = pending.toString();
        if (!text.isBlank()) {
            acts.add(() -> output.message(dev.glovebox.protocol.event.ContentBlock.text(text)));
        }
        pending.setLength(0);
    }

    /// The input of the call that is the reply's block of this number, from its own pieces: the
    /// client's accumulator makes a JSON string of pieces that are no JSON, and would let a
    /// half-received command through.
    private ObjectNode input(long index) {
        StringBuilder pieces = inputs.get(index);
        if (pieces == null || pieces.isEmpty()) {
            return Json.object();
        }
        try {
            return Json.read(pieces.toString(), ObjectNode.class);
        } catch (JsonException e) {
            throw new AnthropicInvalidDataException("the input of a tool call is not valid", e);
        }
    }

    private static Next refusal(Message message) {
        Optional<RefusalStopDetails> details = message.stopDetails();
        return new Next.Refusal(
                details.flatMap(RefusalStopDetails::category).map(c -> c.asString()),
                details.flatMap(RefusalStopDetails::explanation));
    }

    private static ModelUsage usage(Usage usage) {
        return new ModelUsage(
                usage.inputTokens(),
                usage.outputTokens(),
                usage.cacheCreationInputTokens().orElse(0L),
                usage.cacheReadInputTokens().orElse(0L));
    }
}
