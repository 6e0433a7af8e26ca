package dev.glovebox.worker;

import static dev.glovebox.worker.WorkerRig.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// How a worker takes work, and how it ends.
@Timeout(180)
class WorkerLifeTest {
    private static final String S = "sesn_1";

    private WorkerRig rig;
    private FakeControlPlane plane;
    private FakeHands hands;

    @BeforeEach
    void open() {
        rig = new WorkerRig(config -> config);
        plane = rig.plane;
        hands = rig.hands;
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    @Test
    void aKeyThatIsRefusedEndsTheWorkerWithTheReason() {
        plane.fail("GET", "/poll", 401, 1, false);
        rig.start();

        assertThatThrownBy(() -> rig.running.get(10, TimeUnit.SECONDS))
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
        rig.start();

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
        rig.start();
        await(() -> !plane.results(S, call).isEmpty());

        assertThat(hands.opened).hasValue(1);
    }

    @Test
    void doesNotPollWhileItIsFull() {
        open(config -> config.withMaxSessions(1));
        plane.session(S);
        plane.session("sesn_2");
        String call = plane.toolUse(S, "block");
        String first = plane.enqueue(S);
        String second = plane.enqueue("sesn_2");
        rig.start();
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
        rig.start();
        await(() -> hands.ran.contains("block"));

        assertThat(rig.worker.sessions()).isEqualTo(1);
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
        rig.start();
        await(() -> hands.ran.contains("block"));

        rig.worker.drain();
        hands.letGo.countDown();
        rig.running.orTimeout(10, TimeUnit.SECONDS).join();

        assertThat(plane.results(S, call)).containsExactly("block");
        assertThat(plane.results(S, next)).isEmpty();
        assertThat(plane.workState(work)).isEqualTo("stopped");
    }

    @Test
    void aDrainCutsOffWhatDoesNotEndInTime() {
        open(config -> config.withDrainGrace(Duration.ofMillis(200)));
        plane.session(S);
        String work = plane.enqueue(S);
        String call = plane.toolUse(S, "block");
        rig.start();
        await(() -> hands.ran.contains("block"));

        rig.worker.drain();
        rig.running.orTimeout(10, TimeUnit.SECONDS).join();

        assertThat(hands.cancelled).containsExactly("block");
        assertThat(plane.results(S, call)).isEmpty();
        assertThat(plane.workState(work)).isEqualTo("stopped");
    }

    /// Another worker than the usual one.
    private void open(UnaryOperator<WorkerConfig> change) {
        rig.close();
        rig = new WorkerRig(change);
        plane = rig.plane;
        hands = rig.hands;
    }
}
