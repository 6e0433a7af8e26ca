package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.Secret;
import dev.glovebox.worker.session.CallJournal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The worker against a small control plane over real HTTP, without sandboxes.
@Timeout(30)
class WorkerTest {
    private static final String S = "sesn_1";

    private final FakeControlPlane plane = new FakeControlPlane();
    private final FakeHands hands = new FakeHands();
    private WorkerConfig config =
            WorkerConfig.of(
                            plane.address(),
                            FakeControlPlane.ENVIRONMENT,
                            new Secret(FakeControlPlane.KEY),
                            Path.of("/nowhere"))
                    .withMaxIdle(Duration.ofMillis(150))
                    .withDrainGrace(Duration.ofSeconds(5));
    private Worker worker = new Worker(config, hands, CallJournal.NONE);
    private CompletableFuture<Void> running = CompletableFuture.completedFuture(null);

    @AfterEach
    void stop() {
        hands.letGo.countDown();
        worker.close();
        plane.close();
    }

    @Test
    void servesASessionFromItsClaimToItsStop() {
        plane.session(S);
        String call = plane.toolUse(S, "echo hello");
        String work = plane.enqueue(S);

        start();
        await(() -> !plane.results(S, call).isEmpty());
        plane.endTurn(S);
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(plane.results(S, call)).containsExactly("hello");
        assertThat(plane.seen)
                .filteredOn(s -> s.path().endsWith("/stop"))
                .singleElement()
                .satisfies(s -> assertThat(s.body()).isEqualTo("{\"force\":true}"));
        await(() -> hands.closed.get() == 1);
    }

    @Test
    void usesTheItemsTokenForTheItemAndTheKeyForTheQueue() {
        plane.session(S);
        String work = plane.enqueue(S);
        plane.toolUse(S, "echo a");
        start();
        await(() -> plane.count("POST", "/events") == 1);
        plane.endTurn(S);
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(plane.seen)
                .allSatisfy(s ->
                        assertThat(s.bearer())
                                .isEqualTo(
                                        s.path().endsWith("/poll") || s.path().endsWith("/ack")
                                                ? FakeControlPlane.KEY
                                                : "sk-ant-req-" + S));
    }

    @Test
    void fallsBackToTheKeyWhenASecretHoldsNoToken() {
        plane.session(S);
        String call = plane.toolUse(S, "echo a");
        plane.enqueue("session", S, "bm90IGpzb24");
        start();
        await(() -> !plane.results(S, call).isEmpty());

        assertThat(plane.seen)
                .allSatisfy(s -> assertThat(s.bearer()).isEqualTo(FakeControlPlane.KEY));
    }

    @Test
    void stopsAnItemThatIsNoSession() {
        String work = plane.enqueue("healthcheck", "hc_1", null);
        start();
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(hands.opened).hasValue(0);
    }

    @Test
    void stopsTheItemOfADeletedOrTerminatedSessionAndGoesOn() {
        String deleted = plane.enqueue("sesn_gone");
        plane.session("sesn_over");
        plane.status("sesn_over", "terminated");
        String terminated = plane.enqueue("sesn_over");
        plane.session(S);
        String call = plane.toolUse(S, "echo on");
        plane.enqueue(S);
        start();

        await(() -> !plane.results(S, call).isEmpty());
        await(() -> plane.workState(deleted).equals("stopped"));
        await(() -> plane.workState(terminated).equals("stopped"));
    }

    @Test
    void aLostLeaseEndsTheCallAndStopsAndPostsNothing() {
        plane.ttlSeconds = 1;
        plane.session(S);
        String call = plane.toolUse(S, "block");
        String work = plane.enqueue(S);
        start();
        await(() -> hands.ran.contains("block"));

        plane.loseLease = true;
        await(() -> hands.closed.get() == 1 && worker.sessions() == 0);

        assertThat(hands.cancelled).containsExactly("block");
        assertThat(plane.results(S, call)).isEmpty();
        assertThat(plane.workState(work)).isEqualTo("active");
    }

    @Test
    void anItemThatIsStoppingEndsTheCallAndIsStopped() {
        plane.ttlSeconds = 1;
        plane.session(S);
        String call = plane.toolUse(S, "block");
        String work = plane.enqueue(S);
        start();
        await(() -> hands.ran.contains("block"));

        plane.stopWork(work);
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(hands.cancelled).containsExactly("block");
        assertThat(plane.results(S, call)).isEmpty();
    }

    @Test
    void aRefusedHeartbeatEndsTheSessionAndStopsTheItem() {
        plane.fail("POST", "/heartbeat", 403, 1, false);
        plane.session(S);
        String work = plane.enqueue(S);
        start();

        await(() -> plane.workState(work).equals("stopped"));
    }

    @Test
    void survivesHeartbeatsThatFailForAWhile() {
        plane.fail("POST", "/heartbeat", 503, 2, false);
        plane.fail("POST", "/heartbeat", 409, 1, false);
        plane.session(S);
        plane.enqueue(S);
        start();

        await(() -> plane.count("POST", "/heartbeat") >= 4);
        String call = plane.toolUse(S, "echo alive");
        await(() -> !plane.results(S, call).isEmpty());
    }

    @Test
    void holdsACallThatAsksUntilAPersonAllowsIt() {
        plane.session(S);
        plane.enqueue(S);
        String ask =
                plane.emit(
                        S,
                        "{'type':'agent.tool_use','name':'bash','evaluated_permission':'ask','input':{'command':'echo asked'}}");
        String free = plane.toolUse(S, "echo free");
        plane.endTurn(S);
        start();
        await(() -> !plane.results(S, free).isEmpty());
        assertThat(hands.ran).containsExactly("echo free");

        plane.emit(
                S,
                "{'type':'user.tool_confirmation','result':'allow','tool_use_id':'" + ask + "'}");
        await(() -> plane.results(S, ask).equals(List.of("asked")));
    }

    @Test
    void neverRunsWhatIsDeniedByAPersonOrThePlatform() {
        plane.session(S);
        String work = plane.enqueue(S);
        String ask =
                plane.emit(
                        S,
                        "{'type':'agent.tool_use','name':'bash','evaluated_permission':'whatever comes','input':{'command':'echo 1'}}");
        plane.emit(
                S,
                "{'type':'agent.tool_use','name':'bash','evaluated_permission':'deny','input':{'command':'echo 2'}}");
        start();
        await(() -> plane.openStreams() == 1);
        plane.emit(
                S, "{'type':'user.tool_confirmation','result':'deny','tool_use_id':'" + ask + "'}");
        plane.endTurn(S);
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(hands.ran).isEmpty();
        assertThat(plane.count("POST", "/events")).isZero();
    }

    @Test
    void runsACallOnceHoweverOftenItComes() {
        plane.session(S);
        String work = plane.enqueue(S);
        String first = plane.toolUse(S, "echo 1");
        start();
        await(() -> plane.openStreams() == 1);
        plane.repeat(S, first);
        plane.cutStreams();
        await(() -> plane.openStreams() == 1 && plane.count("GET", "/stream") == 2);
        plane.repeat(S, first);
        String second = plane.toolUse(S, "echo 2");
        plane.repeat(S, second);
        await(() -> !plane.results(S, second).isEmpty());
        plane.endTurn(S);
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(hands.ran).containsExactly("echo 1", "echo 2");
        assertThat(plane.results(S, first)).hasSize(1);
    }

    @Test
    void neverRunsWhatTheHistoryHasSettled() {
        plane.session(S);
        String answered = plane.toolUse(S, "echo answered");
        plane.emit(
                S,
                "{'type':'user.tool_result','content':[],'is_error':false,'tool_use_id':'"
                        + answered
                        + "'}");
        String closed = plane.toolUse(S, "echo closed");
        plane.emit(
                S,
                "{'type':'agent.tool_result','content':[],'is_error':true,'tool_use_id':'"
                        + closed
                        + "'}");
        plane.toolUse(S, "echo interrupted");
        plane.emit(S, "{'type':'user.interrupt'}");
        plane.endTurn(S);
        String work = plane.enqueue(S);
        start();
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(hands.ran).isEmpty();
    }

    @Test
    void leavesCallsOfOthersToThem() {
        plane.session(S);
        plane.enqueue(S);
        plane.emit(S, "{'type':'agent.tool_use','name':'web_search','input':{}}");
        plane.emit(S, "{'type':'agent.custom_tool_use','name':'bash','input':{}}");
        String mine = plane.toolUse(S, "echo mine");
        start();
        await(() -> !plane.results(S, mine).isEmpty());

        assertThat(plane.count("POST", "/events")).isEqualTo(1);
    }

    @Test
    void anInterruptEndsTheRunningCallAtOnceAndAnswersThoseThatWait() {
        plane.session(S);
        plane.enqueue(S);
        String running = plane.toolUse(S, "block");
        String waiting = plane.toolUse(S, "echo never");
        start();
        await(() -> hands.ran.contains("block") && plane.openStreams() == 1);

        plane.emit(S, "{'type':'user.interrupt'}");
        await(() -> !plane.results(S, running).isEmpty() && !plane.results(S, waiting).isEmpty());

        assertThat(hands.ran).containsExactly("block");
        assertThat(plane.results(S, running)).containsExactly("bash: interrupted");
        assertThat(plane.results(S, waiting)).containsExactly("bash: interrupted");
    }

    @Test
    void aClosureByThePlatformEndsTheRunningCallAndNothingIsPosted() {
        plane.session(S);
        plane.enqueue(S);
        String running = plane.toolUse(S, "block");
        start();
        await(() -> hands.ran.contains("block") && plane.openStreams() == 1);

        plane.emit(
                S,
                "{'type':'agent.tool_result','content':[],'is_error':true,'tool_use_id':'"
                        + running
                        + "'}");
        await(() -> hands.cancelled.contains("block"));
        String next = plane.toolUse(S, "echo next");
        await(() -> !plane.results(S, next).isEmpty());

        assertThat(plane.results(S, running)).isEmpty();
        assertThat(plane.count("POST", "/events")).isEqualTo(1);
    }

    @Test
    void postsAgainWhenTheServerIsBusyAndAsSoonAsItSays() {
        plane.fail("POST", "/events", 503, 1, false, Map.of("retry-after-ms", "50"));
        plane.fail("POST", "/events", 429, 1, false, Map.of("retry-after-ms", "50"));
        plane.session(S);
        plane.enqueue(S);
        String call = plane.toolUse(S, "echo late");
        long start = System.nanoTime();
        start();
        await(() -> !plane.results(S, call).isEmpty());

        assertThat(plane.results(S, call)).containsExactly("late");
        assertThat(hands.ran).containsExactly("echo late");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(3));
    }

    @Test
    void neverPostsTwiceWhatArrivedButWasNotAnswered() {
        plane.fail("POST", "/events", 0, 1, true);
        plane.fail("GET", "/stream", 503, 1, false);
        plane.session(S);
        plane.enqueue(S);
        String first = plane.toolUse(S, "echo once");
        String second = plane.toolUse(S, "echo then");
        start();
        await(() -> !plane.results(S, second).isEmpty());

        assertThat(plane.results(S, first)).containsExactly("once");
        assertThat(plane.seen)
                .filteredOn(s -> s.is("POST", "/events") && s.body().contains(first))
                .hasSize(1);
    }

    @Test
    void aResultThatIsRefusedDoesNotHoldTheSession() {
        plane.fail("POST", "/events", 400, 1, false);
        plane.session(S);
        String work = plane.enqueue(S);
        plane.toolUse(S, "echo refused");
        String next = plane.toolUse(S, "echo next");
        start();
        await(() -> !plane.results(S, next).isEmpty());
        plane.endTurn(S);
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(hands.ran).containsExactly("echo refused", "echo next");
    }

    @Test
    void aStreamThatIsRefusedEndsTheSession() {
        plane.fail("GET", "/stream", 404, 1, false);
        plane.session(S);
        String work = plane.enqueue(S);
        start();

        await(() -> plane.workState(work).equals("stopped"));
    }

    @Test
    void leavesASessionThatIsDeletedMeanwhile() {
        plane.session(S);
        String work = plane.enqueue(S);
        plane.toolUse(S, "block");
        start();
        await(() -> hands.ran.contains("block") && plane.openStreams() == 1);

        plane.emit(S, "{'type':'session.deleted'}");
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(hands.cancelled).containsExactly("block");
    }

    @Test
    void survivesEventsItDoesNotUnderstand() {
        plane.session(S);
        plane.enqueue(S);
        start();
        await(() -> plane.openStreams() == 1);
        plane.emit(S, "{'type':'agent.tool_use','name':'bash'}");
        plane.emit(S, "{'type':'something.new','what':7}");
        String call = plane.toolUse(S, "echo fine");

        await(() -> !plane.results(S, call).isEmpty());
    }

    @Test
    void aKeyThatIsRefusedEndsTheWorkerWithTheReason() {
        plane.fail("GET", "/poll", 401, 1, false);
        start();

        assertThatThrownBy(() -> running.get(10, TimeUnit.SECONDS))
                .hasRootCauseInstanceOf(WorkerException.class)
                .hasMessageContaining("check environment key and id")
                .hasMessageNotContaining(FakeControlPlane.KEY);
    }

    @Test
    void aServerThatFailsIsPolledAgain() {
        plane.fail("GET", "/poll", 500, 1, false, Map.of("retry-after-ms", "10"));
        plane.fail("GET", "/poll", 0, 1, false);
        plane.session(S);
        String call = plane.toolUse(S, "echo on");
        plane.enqueue(S);
        start();

        await(() -> !plane.results(S, call).isEmpty());
    }

    @Test
    void anItemWhoseAckFailsIsNotServed() {
        plane.fail("POST", "/ack", 409, 1, false, Map.of("x-should-retry", "false"));
        plane.session("sesn_other");
        plane.enqueue("sesn_other");
        plane.session(S);
        String call = plane.toolUse(S, "echo on");
        plane.enqueue(S);
        start();
        await(() -> !plane.results(S, call).isEmpty());

        assertThat(hands.opened).hasValue(1);
    }

    @Test
    void doesNotPollWhileItIsFull() {
        config = config.withMaxSessions(1);
        worker = new Worker(config, hands, CallJournal.NONE);
        plane.session(S);
        plane.session("sesn_2");
        String call = plane.toolUse(S, "block");
        String first = plane.enqueue(S);
        String second = plane.enqueue("sesn_2");
        start();
        await(() -> hands.ran.contains("block"));
        long polls = plane.count("GET", "/poll");
        LockSupport.parkNanos(Duration.ofMillis(1200).toNanos());

        assertThat(plane.count("GET", "/poll")).isEqualTo(polls);
        assertThat(plane.workState(second)).isEqualTo("queued");
        hands.letGo.countDown();
        await(() -> !plane.results(S, call).isEmpty());
        plane.endTurn(S);
        await(() -> plane.workState(first).equals("stopped"));
        await(() -> !plane.workState(second).equals("queued"));
    }

    @Test
    void servesManySessionsAtOnce() {
        plane.session(S);
        plane.toolUse(S, "block");
        plane.enqueue(S);
        start();
        await(() -> hands.ran.contains("block"));

        assertThat(worker.sessions()).isEqualTo(1);
        plane.session("sesn_2");
        String call = plane.toolUse("sesn_2", "echo beside");
        plane.enqueue("sesn_2");
        await(() -> !plane.results("sesn_2", call).isEmpty());
    }

    @Test
    void aDrainLetsTheRunningCallEndAndRunsNoOther() {
        plane.session(S);
        String work = plane.enqueue(S);
        String call = plane.toolUse(S, "block");
        String next = plane.toolUse(S, "echo not any more");
        start();
        await(() -> hands.ran.contains("block"));

        worker.drain();
        hands.letGo.countDown();
        running.orTimeout(10, TimeUnit.SECONDS).join();

        assertThat(plane.results(S, call)).containsExactly("block");
        assertThat(plane.results(S, next)).isEmpty();
        assertThat(plane.workState(work)).isEqualTo("stopped");
    }

    @Test
    void aDrainCutsOffWhatDoesNotEndInTime() {
        config = config.withDrainGrace(Duration.ofMillis(200));
        worker = new Worker(config, hands, CallJournal.NONE);
        plane.session(S);
        String work = plane.enqueue(S);
        String call = plane.toolUse(S, "block");
        start();
        await(() -> hands.ran.contains("block"));

        worker.drain();
        running.orTimeout(10, TimeUnit.SECONDS).join();

        assertThat(hands.cancelled).containsExactly("block");
        assertThat(plane.results(S, call)).isEmpty();
        assertThat(plane.workState(work)).isEqualTo("stopped");
    }

    private void start() {
        running = new CompletableFuture<>();
        Thread.ofVirtual()
                .name("worker")
                .start(() -> {
                    try {
                        worker.run();
                        running.complete(null);
                    } catch (RuntimeException e) {
                        running.completeExceptionally(e);
                    }
                });
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(15).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
            LockSupport.parkNanos(2_000_000);
        }
    }
}
