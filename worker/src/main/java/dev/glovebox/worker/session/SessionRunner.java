package dev.glovebox.worker.session;

import dev.glovebox.worker.http.ApiClient;
import dev.glovebox.worker.tool.ToolResult;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.function.Supplier;

/// Serves one session: runs its calls one after another and posts their results, until there is a
/// reason to leave.
///
/// Three threads: the caller of [#run] owns the calls, a second one reads events all the while, so
/// that an interrupt or a closure reaches a running call at once, and whoever calls [#end] or
/// [#drain] is a third. They meet in [SessionMonitor].
public final class SessionRunner {
    private static final System.Logger LOG = System.getLogger(SessionRunner.class.getName());

    private final String sessionId;
    private final Hands hands;
    private final CallJournal journal;
    private final SessionMonitor monitor;
    private final EventReader reader;
    private final ResultPost post;

    /// A runner that has not begun.
    ///
    /// @param maxIdle time after the end of a turn after which the session is left; zero = never
    /// @param window how long a result is posted again when it does not get through
    public SessionRunner(
            String sessionId,
            ApiClient api,
            Hands hands,
            CallJournal journal,
            Duration maxIdle,
            Supplier<Duration> window) {
        this.sessionId = sessionId;
        this.hands = hands;
        this.journal = journal;
        this.monitor = new SessionMonitor(hands::knows, maxIdle);
        this.reader = new EventReader(api, sessionId, monitor);
        this.post = new ResultPost(api, sessionId, monitor, window);
    }

    /// Serves the session on this thread until it is to be left.
    public SessionEnd run() throws InterruptedException {
        Thread events = Thread.ofVirtual().name("events-" + sessionId).start(reader::run);
        try {
            while (true) {
                switch (monitor.next()) {
                    case SessionMonitor.Step.Do(CallBook.Task.Run task) -> execute(task);
                    case SessionMonitor.Step.Do(CallBook.Task.Post task) -> deliver(task);
                    case SessionMonitor.Step.Check() -> reader.cutIfSilent();
                    case SessionMonitor.Step.Leave(SessionEnd end) -> {
                        return end;
                    }
                }
            }
        } finally {
            monitor.end(SessionEnd.ABANDONED);
            reader.close();
            events.interrupt();
        }
    }

    /// Ends it at once; a running call is cancelled and gets no result from here.
    public void end(SessionEnd reason) {
        monitor.end(reason);
    }

    /// Ends it after the call that runs now.
    public void drain() {
        monitor.drain();
    }

    private void execute(CallBook.Task.Run task) throws InterruptedException {
        ToolCall call = task.call();
        LOG.log(Level.DEBUG, "{0}: {1} {2}", sessionId, call.name(), call.id());
        journal.starts(sessionId, call);
        ToolResult result = hands.run(call, task.cancellation());
        if (monitor.ended().isPresent()) {
            // cut off: the call stays open, for the worker that comes next
            monitor.notPosted(new CallBook.Task.Post(call, result));
            return;
        }
        journal.ended(sessionId, call, result);
        deliver(new CallBook.Task.Post(call, result));
    }

    private void deliver(CallBook.Task.Post task) throws InterruptedException {
        if (monitor.unwanted(task.call())) {
            monitor.done();
            return;
        }
        switch (post.post(task.call(), task.result())) {
            case ARRIVED -> {
                journal.posted(sessionId, task.call());
                monitor.done();
            }
            case REFUSED -> monitor.done();
            case FAILED -> monitor.notPosted(task);
        }
    }
}
