package dev.glovebox.worker;

import dev.glovebox.egress.Doors;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.worker.http.ApiClient;
import dev.glovebox.worker.http.Pause;
import dev.glovebox.worker.operator.Roster;
import dev.glovebox.worker.policy.LivePolicies;
import dev.glovebox.worker.queue.WorkPoller;
import dev.glovebox.worker.session.CallJournal;
import dev.glovebox.workspace.Workspaces;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// The hands of an environment: takes sessions from its queue and serves each in a place of its
/// own, many at once.
///
/// One virtual thread polls, and only while there is room for a session; each session has its own
/// threads (see [dev.glovebox.worker.session.SessionRunner]). A session that fails ends alone.
///
/// Its life: [#run] until [#drain] or until the control plane refuses the key for good. Then
/// nothing new is taken; calls under way may end within the grace, their results are posted, the
/// items are stopped, and [#run] returns.
public final class Worker implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Worker.class.getName());
    private static final Duration TEARDOWN = Duration.ofSeconds(30);

    private final WorkerConfig config;
    private final HandsSource source;
    private final CallJournal journal;
    private final Roster roster;
    private final Optional<LivePolicies> policies;
    private final ApiClient api;
    private final String id = host() + "-" + UUID.randomUUID();
    private final Semaphore slots;
    private final CountDownLatch draining = new CountDownLatch(1);
    private final Set<Shift> shifts = ConcurrentHashMap.newKeySet();

    /// A worker that takes no sessions yet, but makes sandboxes ready for them.
    ///
    /// @param sandboxes and the doors stay open when the worker is closed
    public Worker(WorkerConfig config, Sandboxes sandboxes, Doors doors, Workspaces workspaces) {
        this(
                config,
                sandboxes,
                doors,
                workspaces,
                LivePolicies.open(config.place().policies(), doors::check));
    }

    private Worker(
            WorkerConfig config,
            Sandboxes sandboxes,
            Doors doors,
            Workspaces workspaces,
            LivePolicies policies) {
        this.config = config;
        this.roster = new Roster(Optional.of(policies));
        this.policies = Optional.of(policies);
        this.source =
                places(
                        config.place(),
                        new Place.Rooms(
                                sandboxes, doors, workspaces, new SessionHolds(TEARDOWN), roster),
                        policies);
        this.journal = CallJournal.NONE;
        this.api = ApiClient.open(config.baseUrl(), config.environmentKey(), Pause.SLEEP);
        this.slots = new Semaphore(config.maxSessions());
    }

    private static PlaceSource places(
            PlaceConfig config, Place.Rooms rooms, LivePolicies policies) {
        try {
            return PlaceSource.open(config, rooms, policies);
        } catch (RuntimeException e) {
            policies.close();
            throw e;
        }
    }

    Worker(WorkerConfig config, HandsSource source, CallJournal journal) {
        this.config = config;
        this.roster = new Roster(Optional.empty());
        this.policies = Optional.empty();
        this.source = source;
        this.journal = journal;
        this.api = ApiClient.open(config.baseUrl(), config.environmentKey(), Pause.SLEEP);
        this.slots = new Semaphore(config.maxSessions());
    }

    /// Works on this thread until drained.
    ///
    /// @throws WorkerException if the control plane refuses key or environment for good
    public void run() {
        WorkPoller poller = new WorkPoller(api, config.environmentId(), id, this::pause);
        String refusal = "";
        try {
            while (!isDraining() && refusal.isEmpty()) {
                if (slots.tryAcquire(1, TimeUnit.SECONDS)) {
                    refusal = pollOnce(poller);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            drain();
            source.release();
            awaitSessions();
        }
        if (!refusal.isEmpty()) {
            throw new WorkerException(
                    "the control plane refuses to hand out work of "
                            + config.environmentId()
                            + ", check environment key and id: "
                            + refusal);
        }
    }

    /// Takes nothing new from now on, and lets [#run] return when the calls under way have ended.
    public void drain() {
        draining.countDown();
        shifts.forEach(Shift::drain);
    }

    /// How many sessions are being served.
    public int sessions() {
        return shifts.size();
    }

    /// The sandboxes of the sessions being served, for operators.
    public Roster roster() {
        return roster;
    }

    /// Ends what runs, without grace.
    @Override
    public void close() {
        drain();
        source.release();
        shifts.forEach(Shift::abandon);
        awaitAllSlots(TEARDOWN);
        policies.ifPresent(LivePolicies::close);
        api.close();
    }

    /// Polls once and starts to serve what comes.
    ///
    /// @return why the control plane refuses us for good, empty if it does not
    private String pollOnce(WorkPoller poller) throws InterruptedException {
        boolean keepSlot = false;
        try {
            switch (poller.poll()) {
                case WorkPoller.Polled.Claimed(var work) -> {
                    LOG.log(Level.INFO, "claimed {0} for {1}", work.id(), work.data().id());
                    Shift shift = new Shift(work, api, source, journal, config.maxIdle());
                    shifts.add(shift);
                    Thread.ofVirtual()
                            .name("session-" + work.data().id())
                            .start(() -> serve(shift));
                    keepSlot = true;
                }
                case WorkPoller.Polled.Nothing() -> {}
                case WorkPoller.Polled.Refused(String reason) -> {
                    return reason;
                }
            }
            return "";
        } finally {
            if (!keepSlot) {
                slots.release();
            }
        }
    }

    private void serve(Shift shift) {
        try {
            if (isDraining()) {
                shift.drain();
            }
            shift.run();
        } catch (InterruptedException e) {
            LOG.log(Level.WARNING, "session interrupted", e);
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "session failed", e);
        } finally {
            shifts.remove(shift);
            slots.release();
        }
    }

    private void awaitSessions() {
        if (!awaitAllSlots(config.drainGrace())) {
            LOG.log(Level.WARNING, "{0} sessions cut off after the grace", sessions());
            shifts.forEach(Shift::abandon);
            if (!awaitAllSlots(TEARDOWN)) {
                LOG.log(Level.ERROR, "{0} sessions do not end", sessions());
            }
        }
    }

    private boolean awaitAllSlots(Duration time) {
        boolean interrupted = Thread.interrupted();
        try {
            int all = config.maxSessions();
            boolean free = slots.tryAcquire(all, time.toMillis(), TimeUnit.MILLISECONDS);
            if (free) {
                slots.release(all);
            }
            return free;
        } catch (InterruptedException e) {
            interrupted = true;
            return false;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean isDraining() {
        return draining.getCount() == 0;
    }

    /// Waits, but not into the drain.
    private void pause(Duration time) throws InterruptedException {
        if (draining.await(time.toMillis(), TimeUnit.MILLISECONDS)) {
            LOG.log(Level.DEBUG, "pause cut short by the drain");
        }
    }

    private static String host() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "glovebox";
        }
    }
}
