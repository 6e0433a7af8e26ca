package dev.glovebox.egress.wire;

import io.netty.channel.Channel;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The one thing a login waits for at a time, and what happens if it does not come. Belongs to the
/// event loop of its channel.
public final class Deadline {
    private final Channel channel;
    private final Duration patience;
    private @Nullable Future<?> waiting;

    public Deadline(Channel channel, Duration patience) {
        this.channel = channel;
        this.patience = patience;
    }

    /// Waits anew; what was waited for before has come.
    public void start(Runnable late) {
        stop();
        waiting = channel.eventLoop().schedule(late, patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    /// Waits for nothing any more.
    public void stop() {
        if (waiting != null) {
            waiting.cancel(false);
            waiting = null;
        }
    }
}
