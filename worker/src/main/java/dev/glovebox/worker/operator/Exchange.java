package dev.glovebox.worker.operator;

import dev.glovebox.protocol.Json;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.guest.GuestException;
import java.io.EOFException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// One operator's request and its answer.
final class Exchange {
    private static final System.Logger LOG = System.getLogger(Exchange.class.getName());

    private final OperatorChannel channel;
    private final String user;
    private final Roster roster;
    private final OperatorLimits limits;
    private final ScheduledExecutorService clock;
    private String who;

    /// @param user who the kernel says is connected
    Exchange(
            OperatorChannel channel,
            String user,
            Roster roster,
            OperatorLimits limits,
            ScheduledExecutorService clock) {
        this.channel = channel;
        this.user = user;
        this.who = user;
        this.roster = roster;
        this.limits = limits;
        this.clock = clock;
    }

    /// Reads the request and does what it says, to the end of the command if it is one.
    ///
    /// @param started told that a command runs, which is counted with its sandbox from then on
    void run(Runnable started) throws IOException {
        try {
            String line;
            try (var _ = deadline()) {
                line = channel.readLine(limits.requestBytes());
            }
            JsonNode json = Request.tree(line);
            who = user + ", process " + json.path("pid").asLong(0);
            carryOut(Request.parse(json), started);
        } catch (OperatorException e) {
            refuse(String.valueOf(e.getMessage()));
        } catch (EOFException _) {
            LOG.log(Level.DEBUG, "operator {0} hung up within a request", who);
        }
    }

    /// Answers that it cannot be done.
    void refuse(String reason) throws IOException {
        LOG.log(Level.INFO, "operator {0}: refused: {1}", who, Printable.line(reason));
        answer(Json.object().put("ok", false).put("error", reason));
    }

    private void carryOut(Request request, Runnable started) throws IOException {
        switch (request) {
            case Request.Look(String text) ->
                    views(text.isEmpty() ? roster.views() : List.of(roster.find(text).view()));
            case Request.Logs logs -> logs(logs);
            case Request.Exec exec -> exec(roster.find(exec.sandbox()), exec, started);
            case Request.Pause(String text) ->
                    change("pause", roster.find(text), one -> one.sandbox().pause());
            case Request.Resume(String text) ->
                    change("resume", roster.find(text), one -> one.sandbox().resume());
            case Request.Delete(String text) ->
                    change("delete", roster.find(text), LiveSandbox::delete);
            case Request.Policy(PolicyWish wish) -> {
                ObjectNode answer = ok();
                new PolicyDesk(roster, who).carryOut(wish, answer);
                answer(answer);
            }
        }
    }

    @FunctionalInterface
    private interface Change {
        void apply(LiveSandbox sandbox);
    }

    private void change(String verb, LiveSandbox sandbox, Change change) throws IOException {
        LOG.log(Level.INFO, "operator {0}: {1} {2}", who, verb, sandbox.name());
        CallLog.Running entry = sandbox.log().begin("operator", verb, who);
        try {
            change.apply(sandbox);
            entry.end("ok", "");
        } catch (SandboxException | GuestException e) {
            entry.end("error", String.valueOf(e.getMessage()));
            throw new OperatorException(verb + " " + sandbox.name() + ": " + e.getMessage(), e);
        }
        views(List.of(sandbox.view()));
    }

    private void views(List<SandboxView> sandboxes) throws IOException {
        ObjectNode answer = ok();
        var array = answer.putArray("sandboxes");
        sandboxes.forEach(one -> array.add(Json.toTree(one)));
        answer(answer);
    }

    private void logs(Request.Logs request) throws IOException {
        CallLog log = roster.find(request.sandbox()).log();
        if (request.follow()) {
            try {
                log.await(request.after(), limits.followTime());
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        ObjectNode answer = ok();
        long last = log.last();
        var array = answer.put("last", last).putArray("calls");
        log.after(request.after()).stream()
                .filter(call -> call.number() <= last)
                .forEach(call -> array.add(Json.toTree(call)));
        answer(answer);
    }

    private void exec(LiveSandbox sandbox, Request.Exec request, Runnable started)
            throws IOException {
        String command = Printable.line(Printable.cut(String.join(" ", request.argv()), 300));
        LOG.log(
                Level.INFO,
                "operator {0}: {1} in {2}: {3}",
                who,
                request.verb(),
                sandbox.name(),
                command);
        if (!sandbox.enter(limits.processes())) {
            throw new OperatorException(
                    limits.processes() + " commands of operators run in " + sandbox.name());
        }
        CallLog.Running entry =
                sandbox.log().begin("operator", request.verb(), command + "  (" + who + ")");
        String outcome = "error";
        try {
            OperatorProcess process = OperatorProcess.start(sandbox, request, channel, limits);
            answer(ok().put("pid", process.pid()).put("sandbox", sandbox.name()));
            started.run();
            outcome = process.follow();
        } finally {
            entry.end(outcome, "");
            sandbox.leave();
            LOG.log(Level.INFO, "operator {0}: {1} ended: {2}", who, request.verb(), outcome);
        }
    }

    private static ObjectNode ok() {
        return Json.object().put("ok", true);
    }

    private void answer(ObjectNode answer) throws IOException {
        try (var _ = deadline()) {
            channel.writeLine(Json.write(answer));
        }
    }

    /// Hangs up unless it is closed in time.
    private Deadline deadline() {
        ScheduledFuture<?> hangUp =
                clock.schedule(
                        () -> {
                            LOG.log(Level.DEBUG, "operator {0} is too slow: hung up", who);
                            try {
                                channel.close();
                            } catch (IOException e) {
                                LOG.log(Level.DEBUG, "hanging up", e);
                            }
                        },
                        limits.requestTime().toMillis(),
                        TimeUnit.MILLISECONDS);
        return () -> hangUp.cancel(false);
    }

    private interface Deadline extends AutoCloseable {
        @Override
        void close();
    }
}
