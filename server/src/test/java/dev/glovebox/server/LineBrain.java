package dev.glovebox.server;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.brain.Brain;
import dev.glovebox.protocol.event.AgentEvent;
import dev.glovebox.protocol.event.ContentBlock;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.event.UserEvent;
import dev.glovebox.protocol.session.ModelUsage;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/// A brain that obeys the text of the last message, one line an act: `say WORDS`, `call TOOL...`
/// (all at once), `hang`, `refuse`, `retry N` (fails in passing until asked N times), `give-up`,
/// `die`, `crash`. Its place in the text is the number of acts the history shows.
final class LineBrain implements Brain {
    final CountDownLatch hanging = new CountDownLatch(1);
    final AtomicInteger steps = new AtomicInteger();
    private final AtomicInteger tries = new AtomicInteger();

    @Override
    public Next step(Request request, Output output) throws InterruptedException {
        steps.incrementAndGet();
        int start = 0;
        for (int i = 0; i < request.history().size(); i++) {
            if (request.history().get(i) instanceof UserEvent.Message) {
                start = i;
            }
        }
        List<Event> since = request.history().subList(start, request.history().size());
        ContentBlock.Text text =
                (ContentBlock.Text) ((UserEvent.Message) since.getFirst()).content().getFirst();
        List<String> lines = text.text().lines().toList();
        int done = 0;
        int calls = 0;
        for (Event event : since) {
            if (event instanceof AgentEvent.Message) {
                done++;
            } else if (event instanceof AgentEvent.ToolUse
                    || event instanceof AgentEvent.CustomToolUse) {
                calls++;
                int wanted = lines.get(done).split(" ", -1).length - 1;
                if (calls == wanted) {
                    done++;
                    calls = 0;
                }
            }
        }
        output.usage(new ModelUsage(10, 5, 0, 1));
        return done < lines.size() ? act(lines.get(done), output) : new Next.EndTurn();
    }

    private Next act(String line, Output output) throws InterruptedException {
        String[] words = line.split(" ", -1);
        switch (words[0]) {
            case "say" -> output.message(ContentBlock.text(line.substring(4)));
            case "call" -> {
                for (int i = 1; i < words.length; i++) {
                    output.toolUse(words[i], Json.object().put("command", "echo " + i));
                }
                return new Next.AwaitResults();
            }
            case "hang" -> {
                hanging.countDown();
                new CountDownLatch(1).await();
            }
            case "refuse" -> {
                return new Next.Refusal(Optional.of("cyber"), Optional.empty());
            }
            case "retry" -> {
                if (tries.incrementAndGet() < Integer.parseInt(words[1])) {
                    return failed("model_overloaded_error", Retry.RETRYING);
                }
                return new Next.EndTurn();
            }
            case "give-up" -> {
                return failed("billing_error", Retry.EXHAUSTED);
            }
            case "die" -> {
                return failed("unknown_error", Retry.TERMINAL);
            }
            case "crash" -> throw new IllegalStateException("a fault of the brain");
            default -> throw new IllegalArgumentException(line);
        }
        return new Next.Continue();
    }

    private static Next failed(String type, Retry retry) {
        return new Next.Failed(type, "the test says so", retry);
    }
}
