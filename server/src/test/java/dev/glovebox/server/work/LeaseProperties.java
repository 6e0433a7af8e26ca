package dev.glovebox.server.work;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.work.Heartbeat;
import dev.glovebox.protocol.work.WorkState;
import dev.glovebox.server.access.Caller;
import dev.glovebox.server.store.Ticks;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/// The lease protocol under simulation: three workers, one item, a network that loses requests and
/// answers, workers that sleep through their leases and wake. Whatever the seed, no two workers
/// believe at one time that the server has given them the item, as long as each believes no longer
/// than its lease lasts.
class LeaseProperties {
    private static final Duration TTL = Duration.ofSeconds(60);
    private static final int SEEDS = 200;
    private static final int STEPS = 400;

    @TestFactory
    List<DynamicTest> onlyOneWorkerHoldsTheItem() {
        List<DynamicTest> tests = new ArrayList<>();
        for (int block = 0; block < SEEDS; block += 50) {
            int from = block;
            tests.add(
                    DynamicTest.dynamicTest(
                            "seeds " + from + " to " + (from + 49),
                            () -> {
                                for (int seed = from; seed < from + 50; seed++) {
                                    new World(seed).run();
                                }
                            }));
        }
        return tests;
    }

    /// One run: the server's item, the workers' beliefs, the clock.
    private static final class World {
        private final int seed;
        private final Random random;
        private final List<Hand> workers = new ArrayList<>();
        private Instant time = Instant.parse("2026-01-01T00:00:00Z");
        private WorkItem item;
        private int claims;

        World(int seed) {
            this.seed = seed;
            this.random = new Random(seed);
            item = WorkItem.queued(new WorkItem.Origin("work_1", "env_1", "sesn_1", now(), "{}"));
            for (int i = 0; i < 3; i++) {
                workers.add(new Hand());
            }
        }

        private String now() {
            time = time.plusNanos(1000);
            return Ticks.text(time);
        }

        void run() {
            for (int step = 0; step < STEPS; step++) {
                time = time.plusMillis(random.nextInt(random.nextInt(20) == 0 ? 90_000 : 5_000));
                sweep();
                workers.get(random.nextInt(workers.size())).act();
                long holders = workers.stream().filter(Hand::believes).count();
                assertThat(holders).as("seed %d, step %d", seed, step).isLessThanOrEqualTo(1);
                if (item.state() == WorkState.STOPPED) {
                    return;
                }
            }
            assertThat(claims).as("seed %d: the item was claimed", seed).isPositive();
        }

        private void sweep() {
            String deadline = item.lease().deadline();
            if (deadline != null && deadline.compareTo(now()) <= 0) {
                item = item.expire(now());
            }
        }

        private boolean lost() {
            return random.nextInt(5) == 0;
        }

        /// A worker as it behaves: polls, acknowledges, beats, now and then ends.
        private final class Hand {
            private Caller.@Nullable Delivery token;
            private boolean acknowledged;
            private String expected = Heartbeat.NONE;
            private @Nullable Instant heldUntil;

            boolean believes() {
                return heldUntil != null && time.isBefore(heldUntil);
            }

            void act() {
                Caller.Delivery mine = token;
                if (mine == null) {
                    poll();
                } else if (!acknowledged) {
                    acknowledge(mine);
                } else if (believes() && random.nextInt(200) == 0) {
                    item.stop(true, mine, now()).ifPresent(stopped -> item = stopped);
                    forget();
                } else {
                    beat(mine);
                }
            }

            private void poll() {
                String reclaim = Ticks.plus(now(), Duration.ofSeconds(-5));
                String at = item.delivery().at();
                if (item.state() != WorkState.QUEUED
                        || (at != null && at.compareTo(reclaim) > 0)
                        || lost()) {
                    return;
                }
                item = item.deliver(now(), null);
                int number = item.delivery().number();
                if (!lost()) {
                    token =
                            new Caller.Delivery(
                                    "token" + number, "env_1", "work_1", "sesn_1", number);
                }
            }

            private void acknowledge(Caller.Delivery mine) {
                if (lost()) {
                    return;
                }
                // the poller acknowledges with the environment key, as the SDKs do
                Optional<WorkItem> taken =
                        item.acknowledge(new Caller.Environment("key", "env_1"), now(), TTL);
                taken.ifPresent(next -> item = next);
                boolean heard = !lost();
                if (heard && taken.isPresent()) {
                    acknowledged = true;
                } else if (mine.delivery() > 0) {
                    forget();
                }
            }

            private void beat(Caller.Delivery mine) {
                if (lost()) {
                    return;
                }
                WorkItem.Beat beat = item.beat(Optional.of(expected), mine, now(), TTL);
                if (beat instanceof WorkItem.Beat.Extended(WorkItem extended)) {
                    item = extended;
                }
                if (lost()) {
                    return;
                }
                switch (beat) {
                    case WorkItem.Beat.Extended _, WorkItem.Beat.Repeated _ -> {
                        String stored = item.lease().heartbeat();
                        expected = stored == null ? Heartbeat.NONE : stored;
                        heldUntil = Instant.parse(expected).plus(TTL);
                        claims++;
                    }
                    case WorkItem.Beat.Lost _, WorkItem.Beat.Ending _ -> forget();
                }
            }

            private void forget() {
                token = null;
                acknowledged = false;
                expected = Heartbeat.NONE;
                heldUntil = null;
            }
        }
    }
}
