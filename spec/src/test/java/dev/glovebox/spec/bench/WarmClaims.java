package dev.glovebox.spec.bench;

import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Binding;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.pool.Network;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.sandbox.pool.WarmPool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/// How long a session waits for a sandbox that waited for it: the part of [BenchSandbox] that is
/// about the warm pool.
final class WarmClaims {
    private static final int MEMBERS = 4;
    private static final EgressPolicy POLICY =
            EgressPolicy.parse(
                    """
                    rules:
                      - {name: packages, host: registry.example.com, action: allow}
                    """);

    private final Report report;
    private final Sandboxes sandboxes;
    private final Path folder;

    WarmClaims(Report report, Sandboxes sandboxes, Path folder) {
        this.report = report;
        this.sandboxes = sandboxes;
        this.folder = folder;
    }

    private record DoorNetwork(Door door) implements Network {
        @Override
        public Path namespace() {
            return door.networkNamespace();
        }

        @Override
        public void close() {
            door.close();
        }
    }

    /// Claims, one after another.
    ///
    /// @param times claims to measure, each while the pool is full and nothing is starting
    void run(int times) throws IOException {
        report.section(
                "A warm claim",
                "From asking for a sandbox until it has its workspace, limits and egress policy, and until `/bin/true` has answered in it; and"
                        + " what an idle member costs.",
                "",
                "p50",
                "p99",
                "aim");
        Path workspace = Files.createDirectory(folder.resolve("claimed"));
        Files.setAttribute(workspace, "unix:uid", 1000);
        Files.setAttribute(workspace, "unix:gid", 1000);
        Binding binding =
                new Binding(
                        List.of(new Mount(workspace, "/workspace", false)),
                        Limits.DEFAULT,
                        Map.of());
        List<Duration> claims = new ArrayList<>();
        List<Duration> answers = new ArrayList<>();
        long memory = 0;
        try (Doors doors = Doors.open(EgressConfig.at(folder.resolve("doors")));
                WarmPool<DoorNetwork> pool =
                        WarmPool.open(
                                sandboxes,
                                PoolConfig.of(Template.BASE, Limits.DEFAULT, MEMBERS),
                                name -> new DoorNetwork(doors.open(name, EgressPolicy.DENY_ALL)))) {
            for (int i = 0; i <= times; i++) {
                awaitFull(pool);
                long start = System.nanoTime();
                WarmPool.Claimed<DoorNetwork> claimed = pool.claim(binding).orElseThrow();
                claimed.network().door().policy(POLICY);
                Duration claim = Duration.ofNanos(System.nanoTime() - start);
                memory = claimed.sandbox().memoryUsed();
                BenchSandbox.answer(claimed.sandbox());
                Duration answer = Duration.ofNanos(System.nanoTime() - start);
                claimed.sandbox().close();
                claimed.network().close();
                if (i > 0) { // the first has what the JVM does once
                    claims.add(claim);
                    answers.add(answer);
                }
            }
        }
        row("claim", new Figures(claims), "<= 5 ms");
        row("claim and first command", new Figures(answers), "");
        report.line("");
        report.line("Memory of an idle member, by its control group: " + memory / 1024 + " KiB.");
        report.end();
    }

    private static void awaitFull(WarmPool<?> pool) {
        while (pool.stats().ready() < MEMBERS) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    private void row(String name, Figures figures, String aim) {
        report.row(
                name,
                Figures.millis(figures.percentile(0.5)),
                Figures.millis(figures.percentile(0.99)),
                aim);
    }
}
