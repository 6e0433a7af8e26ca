package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.net.NetworkNamespace;
import dev.glovebox.sandbox.launch.HostFacts;
import dev.glovebox.sandbox.pool.Network;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.sandbox.pool.WarmPool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Sandboxes that wait for their sessions. Needs root.
class WarmPoolIT {
    private static final Binding NOTHING = new Binding(List.of(), Limits.DEFAULT, Map.of());

    private Ground ground;
    private Path pins;

    @BeforeEach
    void open() throws Exception {
        ground = Ground.open(RuntimeName.CRUN);
        pins = Files.createDirectories(ground.directory().resolve("pins"));
    }

    @AfterEach
    void close() throws Exception {
        ground.close();
    }

    private record Pinned(NetworkNamespace made) implements Network {
        @Override
        public Path namespace() {
            return made.path();
        }

        @Override
        public void close() {
            made.close();
        }
    }

    private Pinned pinned(String name) {
        return new Pinned(NetworkNamespace.create(pins.resolve(name)));
    }

    private WarmPool<Pinned> pool(int size, Duration age) {
        return WarmPool.open(
                ground.sandboxes(),
                new PoolConfig(Template.BASE, Limits.DEFAULT, size, 2, age),
                this::pinned);
    }

    private WarmPool<Pinned> full(int size) {
        WarmPool<Pinned> pool = pool(size, PoolConfig.DEFAULT_MAX_AGE);
        awaitReady(pool, size);
        return pool;
    }

    private static void awaitReady(WarmPool<?> pool, int size) {
        Ground.await("the pool is full: " + pool.stats(), () -> pool.stats().ready() == size);
    }

    @Test
    void aClaimedSandboxIsItsSessionsAloneAndNeverComesBack() throws Exception {
        try (WarmPool<Pinned> pool = full(2)) {
            Set<String> names = new TreeSet<>();
            for (int session = 0; session < 5; session++) {
                awaitReady(pool, 2);
                Path workspace = ground.workspace("s" + session);
                Binding binding =
                        new Binding(
                                List.of(new Mount(workspace, "/workspace", false)),
                                Limits.DEFAULT,
                                Map.of("SESSION", "s" + session));
                WarmPool.Claimed<Pinned> claimed = pool.claim(binding).orElseThrow();
                try (Pinned network = claimed.network();
                        Sandbox sandbox = claimed.sandbox()) {
                    names.add(sandbox.name());
                    assertThat(sandbox.attestation().state().get("ns/net"))
                            .isEqualTo(HostFacts.namespaceLink(network.namespace()));
                    assertThat(
                                    Ground.shell(
                                                    sandbox,
                                                    "ls -A /workspace /tmp /home/agent /dev/shm |"
                                                            + " grep -v : | grep .; pgrep -c ."
                                                            + " ; env | grep SESSION; ls /workspace")
                                            .output())
                            .as("as if nobody had been here")
                            .isEqualTo("1\nSESSION=s" + session + "\n");
                    Ground.shell(
                            sandbox,
                            "for d in /workspace /tmp /home/agent /dev/shm; do echo $SESSION >"
                                    + " $d/mark; done; (setsid sleep 1000 &)");
                    assertThat(workspace.resolve("mark")).hasContent("s" + session);
                }
            }
            assertThat(names).hasSize(5);
            assertThat(pool.stats().claimed()).isEqualTo(5);
        }
        assertThat(ground.directory().resolve("state/live/bundles")).isEmptyDirectory();
        assertThat(pins).isEmptyDirectory();
    }

    @Test
    void aStormOfClaimsGetsWhatIsThereOnceEach() throws Exception {
        try (WarmPool<Pinned> pool = full(4)) {
            List<Callable<Optional<WarmPool.Claimed<Pinned>>>> claims = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                claims.add(() -> pool.claim(NOTHING));
            }
            List<WarmPool.Claimed<Pinned>> got = new ArrayList<>();
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (Future<Optional<WarmPool.Claimed<Pinned>>> claim : threads.invokeAll(claims)) {
                    claim.get().ifPresent(got::add);
                }
            }

            assertThat(got).hasSizeGreaterThanOrEqualTo(4);
            assertThat(got.stream().map(c -> c.sandbox().name())).doesNotHaveDuplicates();
            assertThat(pool.stats().claimed()).isEqualTo(got.size());
            assertThat(pool.stats().missed()).isEqualTo(50 - got.size());
            for (WarmPool.Claimed<Pinned> claimed : got) {
                assertThat(Ground.run(claimed.sandbox(), "/bin/echo", "on").output())
                        .isEqualTo("on\n");
                end(claimed);
            }
            awaitReady(pool, 4);
        }
    }

    @Test
    void aMemberThatDiedIsReplacedAndNeverGivenOut() throws Exception {
        try (WarmPool<Pinned> pool = full(2)) {
            ProcessHandle.of(members().iterator().next()).orElseThrow().destroyForcibly();

            Ground.await("its death was seen", () -> pool.stats().failed() == 1);
            awaitReady(pool, 2);

            WarmPool.Claimed<Pinned> claimed = pool.claim(NOTHING).orElseThrow();
            assertThat(Ground.run(claimed.sandbox(), "/bin/echo", "on").output()).isEqualTo("on\n");
            end(claimed);
        }
    }

    @Test
    void anOldMemberIsEndedAndReplaced() throws Exception {
        try (WarmPool<Pinned> pool = pool(1, Duration.ofSeconds(1))) {
            Ground.await("one is ready", () -> pool.stats().ready() == 1);
            Set<Integer> first = members();

            Ground.await("it expires", () -> pool.stats().expired() >= 1);

            Ground.await("it is gone", () -> first.stream().noneMatch(Ground::lives));
            Ground.await("another came", () -> pool.stats().ready() == 1);
            assertThat(pool.stats().failed()).isZero();
        }
    }

    /// It goes on trying, ever slower, and says so once.
    @Test
    void aStartThatFailsIsTriedAgainAndToldOnce() throws Exception {
        List<LogRecord> told = new CopyOnWriteArrayList<>();
        Handler ear = ear(told);
        Logger logger = Logger.getLogger(WarmPool.class.getName());
        logger.addHandler(ear);
        AtomicBoolean broken = new AtomicBoolean(true);
        PoolConfig config = PoolConfig.of(Template.BASE, Limits.DEFAULT, 2);
        try (WarmPool<Pinned> pool =
                WarmPool.open(
                        ground.sandboxes(),
                        config,
                        name -> {
                            if (broken.get()) {
                                throw new IllegalStateException("no network today");
                            }
                            return pinned(name);
                        })) {
            Ground.await("two tries", () -> pool.stats().failed() == 2);
            assertThat(told).hasSize(1);
            assertThat(pool.claim(NOTHING)).isEmpty();

            broken.set(false);

            awaitReady(pool, 2);
            assertThat(pool.stats().failed()).isLessThanOrEqualTo(3);
        } finally {
            logger.removeHandler(ear);
        }
    }

    @Test
    void aClosedPoolLeavesNothingAlsoWhileItFills() throws Exception {
        WarmPool<Pinned> pool = pool(4, PoolConfig.DEFAULT_MAX_AGE);
        Ground.await("it fills", () -> pool.stats().ready() >= 1);

        pool.close();

        assertThat(members()).isEmpty();
        assertThat(ground.directory().resolve("state/live/bundles")).isEmptyDirectory();
        assertThat(pins).isEmptyDirectory();
        assertThat(pool.claim(NOTHING)).isEmpty();
    }

    @Test
    void aSessionThatWantsLessMemoryIsNotServed() {
        try (WarmPool<Pinned> pool = full(1)) {
            Binding less = new Binding(List.of(), Limits.DEFAULT.withMemory("64m"), Map.of());

            assertThat(pool.claim(less)).isEmpty();
            assertThat(pool.stats().ready()).isEqualTo(1);
        }
    }

    @Test
    void gVisorHasNoWarmPool() {
        Template template = Template.BASE.withRuntime(RuntimeName.RUNSC);
        try (WarmPool<Pinned> pool =
                WarmPool.open(
                        ground.sandboxes(),
                        PoolConfig.of(template, Limits.DEFAULT, 2),
                        this::pinned)) {
            assertThat(pool.claim(NOTHING)).isEmpty();
            assertThat(pool.stats().starting()).isZero();
        }
    }

    private static Handler ear(List<LogRecord> told) {
        return new Handler() {
            @Override
            public void publish(LogRecord record) {
                if (record.getLevel().intValue() >= Level.WARNING.intValue()) {
                    told.add(record);
                }
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
    }

    private static void end(WarmPool.Claimed<Pinned> claimed) {
        claimed.sandbox().close();
        claimed.network().close();
    }

    /// Processes of all sandboxes of the ground.
    private Set<Integer> members() throws Exception {
        return Census.of(ground.directory().resolve("state")).processes();
    }
}
