package dev.glovebox.sandbox.cpu;

import dev.glovebox.linux.cgroup.Cgroup;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Lets the sandboxes that use little go before those that use much.
///
/// With equal weights alone a hog has its fair share, but in pieces of a scheduler's tick, and a
/// neighbour's call of a fifth of a millisecond that meets such a piece waits for its end: 4 ms
/// with the 250 Hz of most kernels, again at each process that the call goes through. So a sandbox
/// that is busy for more than a moment becomes *heavy* ([Use]): its control group is made idle
/// ([Rank]), and whoever wakes up in a light one, or in the worker, takes the processor from it at
/// once. Among heavy sandboxes, and among light ones, all are equal as before.
///
/// ```
/// allowance    the least of: a quarter of a processor, half of what the sandbox may use,
///              an equal share of the machine for each that does anything, but a twentieth at least
/// ```
///
/// It is a rank and no limit: where nobody else wants the processors a heavy sandbox has all that
/// it may use. Light ones together cannot keep the machine from the heavy for long: each uses less
/// than an equal share of it, or becomes heavy itself; and the kernel leaves who is idle a little
/// of a machine that is full. One that is stopped or ended is not made to wait for that ([Rank]).
///
/// While the heavy fill more than half of the machine and have company, its processors look more
/// often for who comes first ([Ticks]).
///
/// One thread looks twenty times a second at what all have used together, which is one small file,
/// and only if that is something at each; with more than 50 sandboxes it looks less often, a
/// millisecond later for each, so that more of them do not cost more.
public final class Precedence implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Precedence.class.getName());
    private static final long LEAST_WINDOW_MILLIS = 50;
    private static final long MILLIS_EACH = 1;
    private static final double MOST_ALLOWANCE = 0.25;
    private static final double LEAST_ALLOWANCE = 0.05;

    /// Processors' worth of time from which on a sandbox counts as one that does anything.
    private static final double ACTIVE = 0.01;

    private static final Duration END_DEADLINE = Duration.ofSeconds(3);

    private final Cgroup group;
    private final Supplier<List<Contender>> contenders;
    private final int processors;
    private final Use together = new Use();

    /// By the very group: a later sandbox of the same name has another.
    private final Map<Cgroup, Use> uses = new HashMap<>();

    private final CountDownLatch closed = new CountDownLatch(1);
    private final Ticks ticks;
    private final Thread thread;

    /// Begins to look, unless the kernel does not offer it, which is logged once.
    ///
    /// @param group in which those of all sandboxes lie
    /// @param contenders all sandboxes there are, whenever asked
    public Precedence(Cgroup group, Supplier<List<Contender>> contenders) {
        this.group = group;
        this.contenders = contenders;
        this.processors = Runtime.getRuntime().availableProcessors();
        this.ticks = new Ticks();
        this.thread = Thread.ofPlatform().name("precedence").daemon(true).unstarted(this::run);
        if (group.offersIdle()) {
            thread.start();
        } else {
            LOG.log(
                    Level.WARNING,
                    "this kernel has no cpu.idle (Linux 5.15): calls wait for a scheduler's tick"
                            + " beside a sandbox that uses all processors");
        }
    }

    /// Looks no more. Sandboxes stay as they are.
    @Override
    public void close() {
        closed.countDown();
        ticks.close();
        try {
            if (thread.isAlive()) {
                thread.join(END_DEADLINE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            long window = LEAST_WINDOW_MILLIS;
            while (!closed.await(window, TimeUnit.MILLISECONDS)) {
                window = Math.max(LEAST_WINDOW_MILLIS, lookSafely() * MILLIS_EACH);
            }
        } catch (InterruptedException e) {
            LOG.log(Level.DEBUG, "interrupted", e);
        }
    }

    private int lookSafely() {
        try {
            return look(System.nanoTime());
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "cannot tell what sandboxes use of the processors", e);
            return 0;
        }
    }

    /// Looks once.
    ///
    /// @return at how many it has looked
    private int look(long now) {
        Optional<Use.Window> all = together.window(group.cpuTime(), now);
        boolean quiet = all.isEmpty() || all.get().processors() < LEAST_ALLOWANCE;
        if (quiet && uses.values().stream().allMatch(Use::rested)) {
            uses.clear();
            ticks.want(false);
            return 0;
        }
        List<Contender> list = contenders.get();
        Map<Contender, Use.Window> windows = windows(list, now);
        long active = windows.values().stream().filter(each -> each.processors() >= ACTIVE).count();
        windows.forEach((contender, window) -> settle(contender, window, active));
        list.forEach(contender -> contender.rank().say(isHeavy(contender)));
        boolean full = all.isPresent() && all.get().processors() > processors / 2.0;
        ticks.want(full && uses.size() > 1 && uses.values().stream().anyMatch(Use::heavy));
        return uses.size();
    }

    /// What each has used since it was last looked at; not who has stood still, or is new.
    private Map<Contender, Use.Window> windows(List<Contender> list, long now) {
        Map<Contender, Use.Window> windows = new HashMap<>();
        uses.keySet().retainAll(list.stream().map(Contender::group).toList());
        for (Contender contender : list) {
            Use use = uses.computeIfAbsent(contender.group(), _ -> new Use());
            if (contender.paused()) {
                use.forget();
            } else {
                use.window(contender.group().cpuTime(), now)
                        .ifPresent(window -> windows.put(contender, window));
            }
        }
        return windows;
    }

    private void settle(Contender contender, Use.Window window, long active) {
        Use use = uses.get(contender.group());
        if (use != null) {
            use.settle(window, allowance(contender.cpus(), active, processors));
        }
    }

    private boolean isHeavy(Contender contender) {
        Use use = uses.get(contender.group());
        return use != null && use.heavy();
    }

    /// Processors' worth of time that a sandbox may use and stay light.
    ///
    /// @param cpus that it may use
    /// @param active how many sandboxes do anything
    /// @param processors of the machine
    static double allowance(double cpus, long active, int processors) {
        double share = Math.max(LEAST_ALLOWANCE, (double) processors / Math.max(1, active));
        return Math.min(MOST_ALLOWANCE, Math.min(cpus / 2, share));
    }
}
