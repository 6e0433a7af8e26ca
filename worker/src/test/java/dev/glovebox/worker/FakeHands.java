package dev.glovebox.worker;

import dev.glovebox.worker.session.Hands;
import dev.glovebox.worker.session.ToolCall;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.tool.ToolResult;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/// Hands without a sandbox: `echo X` answers X, `block` waits until it is let go or cancelled.
final class FakeHands implements Hands, HandsSource {
    final List<String> ran = new CopyOnWriteArrayList<>();
    final List<String> cancelled = new CopyOnWriteArrayList<>();
    final CountDownLatch letGo = new CountDownLatch(1);
    final AtomicInteger opened = new AtomicInteger();
    final AtomicInteger closed = new AtomicInteger();

    @Override
    public Hands open(String sessionId) {
        opened.incrementAndGet();
        return this;
    }

    @Override
    public boolean knows(String tool) {
        return Set.of("bash", "read").contains(tool);
    }

    @Override
    public ToolResult run(ToolCall call, Cancellation cancellation) {
        String command = call.input().path("command").asString("");
        ran.add(command);
        if (command.startsWith("block")) {
            try (var _ = cancellation.onCancel(letGo::countDown)) {
                letGo.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            if (cancellation.cancelled()) {
                cancelled.add(command);
                return ToolResult.error("bash: interrupted");
            }
        }
        return ToolResult.ok(command.replaceFirst("^echo ", ""));
    }

    @Override
    public void close() {
        closed.incrementAndGet();
    }
}
