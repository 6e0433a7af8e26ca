package dev.glovebox.worker.operator;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// The last calls of a session, in memory, for as long as this worker serves it: at most
/// [#MOST_CALLS] and [#MOST_CHARACTERS]. It holds what the agent itself has sent and seen, cut
/// short, and nothing else. Thread-safe.
public final class CallLog {
    static final int MOST_CALLS = 256;
    static final int MOST_CHARACTERS = 64 * 1024;
    static final int INPUT_CHARACTERS = 300;
    static final int OUTPUT_CHARACTERS = 1024;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition added = lock.newCondition();

    // Guarded by the lock, from here on.
    private final Deque<LoggedCall> ended = new ArrayDeque<>();
    private final Set<Running> running = new LinkedHashSet<>();
    private int characters;
    private long last;
    private long agentCalls;

    /// An empty one.
    public CallLog() {}

    /// Remembers that a call begins.
    ///
    /// @param who `agent` or `operator`
    public Running begin(String who, String tool, String input) {
        Running call =
                new Running(Instant.now(), who, tool, Printable.cut(input, INPUT_CHARACTERS));
        lock.lock();
        try {
            running.add(call);
        } finally {
            lock.unlock();
        }
        return call;
    }

    /// How many calls of the agent have ended.
    public long agentCalls() {
        lock.lock();
        try {
            return agentCalls;
        } finally {
            lock.unlock();
        }
    }

    /// The calls with a higher number that are still remembered, oldest first, and after them those
    /// that run now.
    List<LoggedCall> after(long number) {
        lock.lock();
        try {
            List<LoggedCall> calls = new ArrayList<>();
            ended.stream().filter(call -> call.number() > number).forEach(calls::add);
            running.stream().map(call -> call.seen(0, "running", "")).forEach(calls::add);
            return calls;
        } finally {
            lock.unlock();
        }
    }

    /// Waits until a call with a higher number has ended, or the time is up.
    void await(long number, Duration time) throws InterruptedException {
        long left = time.toNanos();
        lock.lock();
        try {
            while (last <= number && left > 0) {
                left = added.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    /// The number of the call that ended last, 0 if none has.
    long last() {
        lock.lock();
        try {
            return last;
        } finally {
            lock.unlock();
        }
    }

    /// What the agent runs now, empty if nothing.
    String busyWith() {
        lock.lock();
        try {
            return running.stream()
                    .filter(call -> call.who.equals("agent"))
                    .map(call -> call.tool)
                    .findFirst()
                    .orElse("");
        } finally {
            lock.unlock();
        }
    }

    /// A call that runs.
    public final class Running {
        private final Instant start;
        private final String who;
        private final String tool;
        private final String input;
        private final long startNanos = System.nanoTime();

        private Running(Instant start, String who, String tool, String input) {
            this.start = start;
            this.who = who;
            this.tool = tool;
            this.input = input;
        }

        /// It has ended; a second end is ignored.
        ///
        /// @param output of which the end is kept
        public void end(String outcome, String output) {
            int from = Math.max(0, output.length() - OUTPUT_CHARACTERS);
            if (from > 0 && Character.isLowSurrogate(output.charAt(from))) {
                from++;
            }
            lock.lock();
            try {
                if (running.remove(this)) {
                    last++;
                    agentCalls += who.equals("agent") ? 1 : 0;
                    keep(seen(last, outcome, (from > 0 ? "..." : "") + output.substring(from)));
                    added.signalAll();
                }
            } finally {
                lock.unlock();
            }
        }

        private LoggedCall seen(long number, String outcome, String output) {
            long millis = (System.nanoTime() - startNanos) / 1_000_000;
            return new LoggedCall(number, start, who, tool, input, millis, outcome, output);
        }
    }

    private void keep(LoggedCall call) {
        ended.add(call);
        characters += call.size();
        while (ended.size() > MOST_CALLS || characters > MOST_CHARACTERS) {
            characters -= ended.remove().size();
        }
    }
}
