package dev.glovebox.egress;

import dev.glovebox.egress.ask.Questions;
import dev.glovebox.egress.audit.Audit;
import dev.glovebox.egress.audit.AuditEvent;
import dev.glovebox.egress.wire.Meter;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.credential.CredentialUse;
import dev.glovebox.protocol.egress.file.PolicyTree;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// What one door tells the audit log.
///
/// An allowed connection or request goes on when its record is on disk and not before. A refusal
/// needs no waiting; a sandbox that makes hundreds of them a second gets one record for the rest,
/// so that it cannot push the records of others out of the log. Thread-safe.
@SuppressWarnings("FutureReturnValueIgnored") // the log counts what it could not write
final class Ledger {
    private static final int REFUSALS_A_SECOND = 100;

    private final String door;
    private final Audit audit;
    private final Duration patience;
    private final InstantSource clock;
    private volatile Optional<String> session = Optional.empty();
    private volatile Optional<String> call = Optional.empty();
    private Instant second = Instant.EPOCH;
    private int refusals;

    /// @param patience how long an act waits for its record
    Ledger(String door, Audit audit, Duration patience, InstantSource clock) {
        this.door = door;
        this.audit = audit;
        this.patience = patience;
        this.clock = clock;
    }

    void session(String id) {
        session = Optional.of(id);
    }

    void call(Optional<String> id) {
        call = id;
    }

    private AuditEvent.Subject who() {
        return new AuditEvent.Subject(door, session, call);
    }

    /// Records an allowed connection, and its end when it has ended.
    ///
    /// @param meter counts its bytes
    /// @param go is run on the connection's event loop when it may go on
    void connection(Flow flow, Meter meter, Runnable go) {
        AuditEvent.Subject who = who();
        AuditEvent.Target to = target(flow.client(), flow.destination());
        CompletableFuture<Long> written =
                audit.record(
                        new AuditEvent.Connection(
                                who, to, flow.rule().protocol().text(), ruling(flow.rule())));
        Instant start = clock.instant();
        flow.client()
                .closeFuture()
                .addListener(_ ->
                        written.thenAccept(number ->
                                audit.record(
                                        new AuditEvent.End(
                                                who,
                                                to,
                                                number,
                                                meter.fromClient(),
                                                meter.toClient(),
                                                Duration.between(start, clock.instant())))));
        await(flow, written, go, flow::refuse);
    }

    /// Records an allowed request.
    ///
    /// @param flow under the rule that allows the request
    /// @param path canonical, without query
    /// @param go is run on the connection's event loop when it may be sent
    /// @param stop is run there with the reason why it may not
    void request(Flow flow, String method, String path, Runnable go, Consumer<String> stop) {
        CompletableFuture<Long> written =
                audit.record(
                        new AuditEvent.Request(
                                who(),
                                target(flow.client(), flow.destination()),
                                flow.rule().protocol().text(),
                                method,
                                path,
                                ruling(flow.rule())));
        await(flow, written, go, stop);
    }

    private void await(
            Flow flow, CompletableFuture<Long> written, Runnable go, Consumer<String> stop) {
        boolean passes = audit.passUnrecorded() && flow.rule().credential().isEmpty();
        if (written.isDone()) {
            settle(!written.isCompletedExceptionally() || passes, go, stop);
            return;
        }
        EventLoop loop = flow.client().eventLoop();
        Future<?> late =
                loop.schedule(
                        () -> settle(passes, go, stop), patience.toMillis(), TimeUnit.MILLISECONDS);
        written.whenComplete((_, failure) ->
                loop.execute(() -> {
                    if (late.cancel(false)) {
                        settle(failure == null || passes, go, stop);
                    }
                }));
    }

    private static void settle(boolean recorded, Runnable go, Consumer<String> stop) {
        if (recorded) {
            go.run();
        } else {
            stop.accept("no audit record of it could be written");
        }
    }

    /// Records that the operator is asked.
    void asked(Channel client, Destination destination, EgressRule rule) {
        audit.record(
                new AuditEvent.Connection(
                        who(), target(client, destination), rule.protocol().text(), ruling(rule)));
    }

    /// Records what the operator said.
    void answered(Destination destination, String rule, Questions.Answer answer, String by) {
        audit.record(
                new AuditEvent.Answered(
                        who(),
                        new AuditEvent.Target("", destination.host().text(), destination.port()),
                        rule,
                        answer.allowed(),
                        by,
                        answer.until()));
    }

    /// Records that the door judges by another policy from here on: nothing that is allowed by it
    /// comes before.
    void policy(EgressPolicy policy, String by) {
        audit.record(
                new AuditEvent.PolicyChange(
                        who(),
                        by,
                        PolicyTree.digest(policy),
                        policy.rules().size(),
                        policy.fallback() == EgressPolicy.Fallback.LEARN));
    }

    /// Records what a connection speaks that no rule has named a protocol for.
    void found(Flow flow, Protocol protocol) {
        audit.record(
                new AuditEvent.Found(
                        who(), target(flow.client(), flow.destination()), protocol.text()));
    }

    /// Records the refusal of a request.
    ///
    /// @param flow under the rule that was asked
    /// @param path canonical, without query
    void refused(Flow flow, String method, String path, String reason) {
        if (mayRecord()) {
            audit.record(
                    new AuditEvent.Request(
                            who(),
                            target(flow.client(), flow.destination()),
                            flow.rule().protocol().text(),
                            method,
                            path,
                            new AuditEvent.Ruling(
                                    Decision.Verdict.DENY.text(),
                                    flow.rule().name(),
                                    Optional.empty(),
                                    reason)));
        }
    }

    /// Records the refusal of a connection.
    void refused(String host, int port, String rule, String reason) {
        if (mayRecord()) {
            audit.record(
                    new AuditEvent.Connection(
                            who(),
                            new AuditEvent.Target("", host, port),
                            "",
                            new AuditEvent.Ruling(
                                    Decision.Verdict.DENY.text(), rule, Optional.empty(), reason)));
        }
    }

    private synchronized boolean mayRecord() {
        Instant now = clock.instant();
        if (Duration.between(second, now).toMillis() >= 1000) {
            int more = refusals - REFUSALS_A_SECOND;
            second = now;
            refusals = 0;
            if (more > 0) {
                audit.record(
                        new AuditEvent.Missed(
                                more, "door \"" + door + "\" refused too many within a second"));
            }
        }
        return ++refusals <= REFUSALS_A_SECOND;
    }

    private static AuditEvent.Ruling ruling(EgressRule rule) {
        return new AuditEvent.Ruling(
                rule.action().text(),
                rule.name(),
                rule.credential().map(CredentialUse::name),
                rule.isLearned() ? "no rule speaks of it" : "rule \"" + rule.name() + "\"");
    }

    private static AuditEvent.Target target(Channel client, Destination destination) {
        String dialled =
                client.localAddress() instanceof InetSocketAddress address
                        ? NetUtil.toSocketAddressString(address)
                        : "";
        return new AuditEvent.Target(dialled, destination.host().text(), destination.port());
    }
}
