package dev.glovebox.egress.onward;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Several lines to one destination: the next begins when the one before has failed, or has taken
/// longer than a moment; the first that opens is taken and the others are given up (RFC 8305, in
/// short). Everything runs on one event loop.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class Race {
    private final EventLoop loop;
    private final Iterator<Line> waiting;
    private final Optional<Duration> moment;
    private final Consumer<Channel> won;
    private final Consumer<Failure> lost;
    private final List<Line> running = new ArrayList<>();
    private @Nullable Future<?> timer;
    private boolean over;

    /// @param lines in order, at least one
    /// @param moment empty: the next begins only when the one before has failed
    /// @param won is given the channel
    /// @param lost is told why the last one failed; exactly one of the two is called, unless the
    ///   race is stopped
    Race(
            EventLoop loop,
            List<Line> lines,
            Optional<Duration> moment,
            Consumer<Channel> won,
            Consumer<Failure> lost) {
        this.loop = loop;
        this.waiting = List.copyOf(lines).iterator();
        this.moment = moment;
        this.won = won;
        this.lost = lost;
    }

    void start() {
        next();
    }

    private void next() {
        if (timer != null) {
            timer.cancel(false);
        }
        if (over || !waiting.hasNext()) {
            return;
        }
        Line line = waiting.next();
        running.add(line);
        if (waiting.hasNext()) {
            moment.ifPresent(time ->
                    timer = loop.schedule(this::next, time.toMillis(), TimeUnit.MILLISECONDS));
        }
        line.begin(channel -> opened(line, channel), failure -> failed(line, failure));
    }

    private void opened(Line line, Channel channel) {
        if (over) {
            channel.close();
            return;
        }
        running.remove(line);
        stop();
        won.accept(channel);
    }

    private void failed(Line line, Failure failure) {
        running.remove(line);
        if (over) {
            return;
        }
        if (waiting.hasNext()) {
            next();
        } else if (running.isEmpty()) {
            stop();
            lost.accept(failure);
        }
    }

    /// Gives up. Idempotent.
    void stop() {
        over = true;
        if (timer != null) {
            timer.cancel(false);
        }
        running.forEach(Line::stop);
        running.clear();
    }
}
