package dev.glovebox.spec.bench;

import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.linux.Trees;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Many sandboxes: how the next one's start, and each one's memory, depend on how many there are.
final class Crowd {
    private static final int AT_THE_END = 10;
    private static final double MEBI = 1 << 20;

    private final Report report;
    private final Sandboxes sandboxes;

    Crowd(Report report, Sandboxes sandboxes) {
        this.report = report;
        this.sandboxes = sandboxes;
    }

    void run(Options options) throws IOException {
        idle(options.number("--idle", 1000));
        burst(options.number("--burst", 50));
    }

    /// Each with a door of its own, as a session has.
    private record Room(Door door, Sandbox sandbox) implements AutoCloseable {
        @Override
        public void close() {
            sandbox.close();
            door.close();
        }
    }

    private void idle(int most) throws IOException {
        report.section(
                "Idle sessions",
                "Sandboxes with a door each, alive and idle; each was started, attested and has run one command; "
                        + BenchSandbox.WARM_UP
                        + " went before. *Start* is the mean of the last "
                        + AT_THE_END
                        + " at that number, door included. Memory is what the machine's `MemAvailable` lost by each and what this process"
                        + " grew by each.",
                "alive",
                "start of the next",
                "to the first 10",
                "memory each",
                "of which the worker",
                "aim");
        Path pins = Files.createTempDirectory("glovebox-doors-");
        Deque<Room> rooms = new ArrayDeque<>();
        try (Doors doors = Doors.open(EgressConfig.at(pins))) {
            try {
                fill(rooms, doors, most);
            } finally {
                rooms.forEach(Room::close);
            }
        } finally {
            Trees.remove(pins);
        }
        report.end();
    }

    private void fill(Deque<Room> rooms, Doors doors, int most) {
        for (int i = 0; i < BenchSandbox.WARM_UP; i++) {
            room(doors, "first-" + i).close();
        }
        long available = kilobytes("/proc/meminfo", "MemAvailable");
        long resident = kilobytes("/proc/self/status", "VmRSS");
        List<Duration> times = new ArrayList<>();
        Duration first = Duration.ZERO;
        for (int count = 1; count <= most; count++) {
            String name = "idle-" + count;
            times.add(BenchSandbox.timed(() -> rooms.add(room(doors, name))));
            if (count != 10 && count != 100 && count != most) {
                continue;
            }
            Duration mean =
                    new Figures(times.subList(Math.max(0, count - AT_THE_END), count)).mean();
            first = count == 10 ? mean : first;
            report.row(
                    Integer.toString(count),
                    Figures.millis(mean),
                    Figures.ratio(mean, first),
                    mebibytes(available - kilobytes("/proc/meminfo", "MemAvailable"), count),
                    mebibytes(kilobytes("/proc/self/status", "VmRSS") - resident, count),
                    count == most ? "<= 8 MiB, start flat" : "");
        }
    }

    private Room room(Doors doors, String name) {
        Door door = doors.open(name, EgressPolicy.DENY_ALL);
        try {
            Sandbox sandbox = sandbox(name, Optional.of(door.networkNamespace()));
            return new Room(door, sandbox);
        } catch (RuntimeException e) {
            door.close();
            throw e;
        }
    }

    private Sandbox sandbox(String name, Optional<Path> network) {
        Sandbox sandbox =
                sandboxes.create(
                        new SandboxSpec(
                                name, Template.BASE, List.of(), network, Limits.DEFAULT, Map.of()));
        BenchSandbox.answer(sandbox);
        return sandbox;
    }

    private void burst(int count) {
        report.section(
                "A burst",
                count + " started at once, until the last has answered.",
                "",
                "time",
                "glovebox / this");
        Duration ours = BenchSandbox.timed(() -> atOnce(count));
        report.row("glovebox", Figures.millis(ours), Figures.ratio(ours, ours));
        try (Peer bare = Peer.runtime("crun")) {
            Duration time = bare.atOnce(count);
            report.row(bare.name(), Figures.millis(time), Figures.ratio(ours, time));
        }
        report.end();
    }

    private void atOnce(int count) {
        List<Callable<Sandbox>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = "burst-" + i;
            all.add(() -> sandbox(name, Optional.empty()));
        }
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Sandbox> started : threads.invokeAll(all)) {
                threads.execute(started.get()::close);
            }
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("a burst of " + count, e);
        }
    }

    private static String mebibytes(long kilobytes, int count) {
        return String.format(Locale.ROOT, "%.2f MiB", kilobytes * 1024 / MEBI / count);
    }

    private static long kilobytes(String file, String name) {
        try {
            return Files.readAllLines(Path.of(file)).stream()
                    .filter(line -> line.startsWith(name + ":"))
                    .map(line -> Long.parseLong(line.replaceAll("\\D+", "")))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }
}
