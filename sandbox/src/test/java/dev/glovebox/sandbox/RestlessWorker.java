package dev.glovebox.sandbox;

import dev.glovebox.linux.net.NetworkNamespace;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.sandbox.pool.Network;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.sandbox.pool.WarmPool;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A worker in a process of its own that does all that can be done with sandboxes, over and over,
/// until a test kills it: opens, starts, claims, pauses, resumes, closes.
final class RestlessWorker {
    private static final Binding NOTHING = new Binding(List.of(), Limits.DEFAULT, Map.of());

    private RestlessWorker() {}

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

    /// Works until it is killed.
    ///
    /// @param words state directory, directory of pins, name of the runtime
    public static void main(String[] words) {
        Path pins = Path.of(words[1]);
        try (PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true)) {
            out.println("begin");
            SandboxConfig config =
                    new SandboxConfig(
                            Path.of(words[0]),
                            Optional.of(RuntimeName.parse(words[2])),
                            SandboxConfig.DEFAULT_START_TIMEOUT);
            Sandboxes sandboxes = Sandboxes.open(config);
            out.println("open");
            int ready = sandboxes.bindsLater(Template.BASE) ? 2 : 0;
            WarmPool<Pinned> pool =
                    WarmPool.open(
                            sandboxes,
                            PoolConfig.of(Template.BASE, Limits.DEFAULT, ready),
                            name -> new Pinned(NetworkNamespace.create(pins.resolve(name))));
            for (long round = 0; round < 1_000_000; round++) {
                Sandbox cold = sandboxes.create(SandboxSpec.of("cold-" + round, List.of()));
                busy(cold);
                pool.claim(NOTHING)
                        .ifPresent(claimed -> {
                            busy(claimed.sandbox());
                            claimed.sandbox().close();
                            claimed.network().close();
                        });
                cold.close();
            }
        }
    }

    private static void busy(Sandbox sandbox) {
        sandbox.guest()
                .start(
                        ProcessRequest.of(
                                List.of("bash", "-c", "trap '' TERM; sleep 1000 & wait"),
                                sandbox.environment(),
                                "/"));
        sandbox.pause();
        sandbox.resume();
        sandbox.pause();
    }
}
