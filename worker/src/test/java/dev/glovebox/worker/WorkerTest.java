package dev.glovebox.worker;

import static dev.glovebox.worker.WorkerRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// How a worker serves sessions.
@Timeout(180)
class WorkerTest {
    private static final String S = "sesn_1";

    private final WorkerRig rig = new WorkerRig(config -> config);
    private final FakeControlPlane plane = rig.plane;
    private final FakeHands hands = rig.hands;

    @AfterEach
    void stop() {
        rig.close();
    }

    @Test
    void servesASessionFromItsClaimToItsStop() {
        plane.session(S);
        String call = plane.toolUse(S, "echo hello");
        String work = plane.enqueue(S);

        rig.start();
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
        rig.start();
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
        rig.start();
        await(() -> !plane.results(S, call).isEmpty());

        assertThat(plane.seen)
                .allSatisfy(s -> assertThat(s.bearer()).isEqualTo(FakeControlPlane.KEY));
    }

    @Test
    void stopsAnItemThatIsNoSession() {
        String work = plane.enqueue("healthcheck", "hc_1", null);
        rig.start();
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
        rig.start();

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
        rig.start();
        await(() -> hands.ran.contains("block"));

        plane.loseLease = true;
        await(() -> hands.closed.get() == 1 && rig.worker.sessions() == 0);

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
        rig.start();
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
        rig.start();

        await(() -> plane.workState(work).equals("stopped"));
    }

    @Test
    void survivesHeartbeatsThatFailForAWhile() {
        plane.fail("POST", "/heartbeat", 503, 2, false);
        plane.fail("POST", "/heartbeat", 409, 1, false);
        plane.session(S);
        plane.enqueue(S);
        rig.start();

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
        rig.start();
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
        rig.start();
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
        rig.start();
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
        rig.start();
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
        rig.start();
        await(() -> !plane.results(S, mine).isEmpty());

        assertThat(plane.count("POST", "/events")).isEqualTo(1);
    }

    @Test
    void anInterruptEndsTheRunningCallAtOnceAndAnswersThoseThatWait() {
        plane.session(S);
        plane.enqueue(S);
        String running = plane.toolUse(S, "block");
        String waiting = plane.toolUse(S, "echo never");
        rig.start();
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
        rig.start();
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
        rig.start();
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
        rig.start();
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
        rig.start();
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
        rig.start();

        await(() -> plane.workState(work).equals("stopped"));
    }

    @Test
    void leavesASessionThatIsDeletedMeanwhile() {
        plane.session(S);
        String work = plane.enqueue(S);
        plane.toolUse(S, "block");
        rig.start();
        await(() -> hands.ran.contains("block") && plane.openStreams() == 1);

        plane.emit(S, "{'type':'session.deleted'}");
        await(() -> plane.workState(work).equals("stopped"));

        assertThat(hands.cancelled).containsExactly("block");
    }

    @Test
    void survivesEventsItDoesNotUnderstand() {
        plane.session(S);
        plane.enqueue(S);
        rig.start();
        await(() -> plane.openStreams() == 1);
        plane.emit(S, "{'type':'agent.tool_use','name':'bash'}");
        plane.emit(S, "{'type':'something.new','what':7}");
        String call = plane.toolUse(S, "echo fine");

        await(() -> !plane.results(S, call).isEmpty());
    }
}
