package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.Trees;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.worker.operator.OperatorLimits;
import dev.glovebox.worker.operator.OperatorServer;
import dev.glovebox.worker.operator.OperatorSocket;
import dev.glovebox.worker.operator.Roster;
import dev.glovebox.workspace.Workspace;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// `kill -9` of a whole worker at each step of its life, under each runtime: the next one with the
/// same data directory starts, and nothing is left but what is to be kept ([World]). Needs root.
@Timeout(300)
class KilledWorkerIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /// A worker killed in the middle of something leaves dozens of things; one that has just begun
    /// to start, or has almost drained, leaves few.
    private static final int MUCH = 10;

    private static final int FOUND_MUCH = 7;

    private static final Map<RuntimeName, World> CLEAN = new ConcurrentHashMap<>();
    private static final AtomicInteger found = new AtomicInteger();
    private static Path top;

    /// When a worker is killed, and how long after that at most.
    enum Moment {
        START(1_500),
        PREPARE(300),
        OPENING(150),
        CALL(50),
        TEARDOWN(200),
        DRAIN(150);

        final long windowNanos;

        Moment(long millis) {
            windowNanos = millis * 1_000_000;
        }
    }

    @BeforeAll
    static void open() throws IOException {
        top = Files.createTempDirectory(Path.of("/var/lib"), "glovebox-it-");
    }

    @AfterAll
    static void close() {
        Trees.remove(top);
        assertThat(found).as("control: kills that left much").hasValueGreaterThan(FOUND_MUCH);
    }

    static Stream<Arguments> kills() {
        return Stream.of(
                Arguments.of(RuntimeName.CRUN, Moment.START, 1),
                Arguments.of(RuntimeName.CRUN, Moment.PREPARE, 2),
                Arguments.of(RuntimeName.CRUN, Moment.OPENING, 2),
                Arguments.of(RuntimeName.CRUN, Moment.CALL, 1),
                Arguments.of(RuntimeName.CRUN, Moment.TEARDOWN, 1),
                Arguments.of(RuntimeName.CRUN, Moment.DRAIN, 1),
                Arguments.of(RuntimeName.RUNC, Moment.PREPARE, 1),
                Arguments.of(RuntimeName.RUNC, Moment.OPENING, 1),
                Arguments.of(RuntimeName.RUNC, Moment.TEARDOWN, 1),
                Arguments.of(RuntimeName.RUNSC, Moment.PREPARE, 1),
                Arguments.of(RuntimeName.RUNSC, Moment.OPENING, 1),
                Arguments.of(RuntimeName.RUNSC, Moment.CALL, 1),
                Arguments.of(RuntimeName.RUNSC, Moment.TEARDOWN, 1));
    }

    @ParameterizedTest
    @MethodSource("kills")
    void whatAKilledWorkerLeavesIsGoneAfterTheNextStart(
            RuntimeName runtime, Moment moment, int times) throws Exception {
        Path data = Files.createDirectories(top.resolve(runtime.program()));
        if (!CLEAN.containsKey(runtime)) {
            nextLife(data, runtime, true);
            CLEAN.put(runtime, World.of(data, data.resolve("sb")));
        }
        World clean = Objects.requireNonNull(CLEAN.get(runtime));
        for (int seed = 1; seed <= times; seed++) {
            long delay =
                    new SplittableRandom(moment.windowNanos + seed).nextLong(moment.windowNanos);
            World left = killed(data, runtime, moment, delay);
            Set<String> namespaces = left.namespaces();
            if (left.beside(clean).size() > MUCH && !namespaces.isEmpty()) {
                found.incrementAndGet();
            }

            nextLife(data, runtime, moment == Moment.START || moment == Moment.PREPARE);

            String what = "killed %s in %s by seed %d".formatted(runtime, moment, seed);
            awaitClean(clean, data, what);
            awaitNobodyHolds(namespaces, what);
        }
    }

    /// Lets a worker live until its moment and kills it.
    ///
    /// @return what is there then
    private static World killed(Path data, RuntimeName runtime, Moment moment, long delay)
            throws Exception {
        Path output = top.resolve("output");
        CountDownLatch reached = new CountDownLatch(1);
        try (FakeControlPlane plane = new FakeControlPlane()) {
            Process worker = start(data, plane, runtime, moment + "-" + delay, output);
            try {
                Consumer<Moment> reach =
                        now -> {
                            if (now == moment) {
                                reached.countDown();
                            }
                        };
                Thread.ofVirtual().start(() -> drive(worker, plane, moment, output, reach));
                Thread.ofVirtual()
                        .start(() -> {
                            await(worker, () -> isPreparing(data));
                            reach.accept(Moment.PREPARE);
                        });
                assertThat(reached.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                        .as("%s: %s", moment, text(output))
                        .isTrue();
                if (moment == Moment.DRAIN) {
                    worker.destroy();
                }
                LockSupport.parkNanos(delay);
            } finally {
                worker.destroyForcibly().waitFor();
            }
        }
        return World.of(data, data.resolve("sb"));
    }

    /// One session after the other, saying where the worker is, until it is dead. The first finds
    /// no prepared layer, the others do.
    private static void drive(
            Process worker,
            FakeControlPlane plane,
            Moment moment,
            Path output,
            Consumer<Moment> reach) {
        await(worker, () -> text(output).contains("begin"));
        reach.accept(Moment.START);
        for (int i = 0; worker.isAlive(); i++) {
            String session = "sesn_" + i;
            plane.session(session);
            String work = plane.enqueue(session);
            if (i > 0) {
                reach.accept(Moment.OPENING);
            }
            String call =
                    plane.toolUse(session, "echo kept > f; (trap '' TERM; sleep 1000) & echo on");
            await(worker, () -> !plane.results(session, call).isEmpty());
            if (moment == Moment.CALL || moment == Moment.DRAIN) {
                plane.toolUse(session, "sleep 1000");
                reach.accept(moment);
                await(worker, () -> !worker.isAlive());
            }
            plane.endTurn(session);
            reach.accept(Moment.TEARDOWN);
            await(worker, () -> plane.workState(work).equals("stopped"));
        }
    }

    private static boolean isPreparing(Path data) {
        try (var partial = Files.list(data.resolve("images/partial"))) {
            return partial.findAny().isPresent();
        } catch (IOException e) {
            return false; // not there yet
        }
    }

    /// What the next worker does: opens all parts, after which nothing of the last one runs or is
    /// mounted, serves a session with the files of the last one, and ends. Sessions' disks are
    /// removed, so that what is left can be compared.
    ///
    /// @param preparing whether the last one may have been killed while it prepared a layer: then
    ///   this one wants layers too
    private static void nextLife(Path data, RuntimeName runtime, boolean preparing) {
        try (WholeWorker.Parts parts = WholeWorker.Parts.open(data, runtime, "next");
                OperatorServer _ =
                        OperatorServer.open(
                                OperatorSocket.in(data),
                                new Roster(Optional.empty()),
                                OperatorLimits.DEFAULT)) {
            awaitNothingRuns(data);
            Sandboxes sandboxes = parts.sandboxes();
            Template template = preparing ? parts.template() : Template.BASE;
            if (!sandboxes.isPrepared(template)) {
                sandboxes.prepare(next(template, List.of()), _ -> {});
            }
            Workspaces workspaces = parts.workspaces();
            try (Workspace workspace = workspaces.open("sesn_0");
                    Sandbox sandbox =
                            sandboxes.create(
                                    next(
                                            template,
                                            List.of(
                                                    new Mount(
                                                            workspace.directory(),
                                                            "/workspace",
                                                            false))))) {
                assertThat(sandbox.guest().isOpen()).isTrue();
            }
            workspaces.known().forEach(known -> workspaces.delete(known.id()));
        }
    }

    private static SandboxSpec next(Template template, List<Mount> mounts) {
        return new SandboxSpec(
                "next",
                template,
                mounts,
                Optional.empty(),
                Limits.DEFAULT.withMemory("128m"),
                Map.of());
    }

    private static void awaitNothingRuns(Path data) {
        BooleanSupplier nothing =
                () -> {
                    World now = World.of(data, data.resolve("sb"));
                    return now.processes().isEmpty()
                            && now.devices().isEmpty()
                            && now.mounts().equals(List.of(data.resolve("sb/live").toString()));
                };
        until(nothing);
        assertThat(nothing.getAsBoolean()).as("%s", World.of(data, data.resolve("sb"))).isTrue();
    }

    /// What a killed worker's children still have to do by themselves takes a moment.
    private static void awaitClean(World clean, Path data, String what) {
        until(() -> World.of(data, data.resolve("sb")).equals(clean));
        assertThat(World.of(data, data.resolve("sb")).beside(clean)).as(what).isEmpty();
    }

    /// Another's may get the number of one that is gone, so each counts as gone for good once it
    /// was.
    private static void awaitNobodyHolds(Set<String> namespaces, String what) {
        Set<String> left = new TreeSet<>(namespaces);
        until(() -> {
            left.retainAll(World.namespacesHeld());
            return left.isEmpty();
        });
        assertThat(left).as("namespaces held, " + what).isEmpty();
    }

    private static Process start(
            Path data, FakeControlPlane plane, RuntimeName runtime, String salt, Path output)
            throws IOException {
        Files.deleteIfExists(output);
        return new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xshare:auto",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        WholeWorker.class.getName(),
                        data.toString(),
                        plane.address().toString(),
                        runtime.name(),
                        salt)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    private static String text(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Or until the worker is dead.
    private static void await(Process worker, BooleanSupplier condition) {
        until(() -> !worker.isAlive() || condition.getAsBoolean());
    }

    /// Or until patience is at its end, which whoever asks then finds out.
    private static void until(BooleanSupplier condition) {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < end) {
            LockSupport.parkNanos(2_000_000);
        }
    }
}
