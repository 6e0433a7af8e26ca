package dev.glovebox.worker.policy;

import dev.glovebox.egress.EgressException;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.PolicyException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The policies of a worker as they are now.
///
/// When a file of the operator's changes, all of them are read; if that makes sense, every door
/// judges by the new ones before long, and so do the doors of sessions to come. If not, nothing
/// changes: what was good last goes on, a log line says what is wrong, and operators can see it.
///
/// A door that is bound while policies change misses nothing: it is in the set before it asks what
/// is current, and whoever exchanges that looks through the set afterwards. Thread-safe.
public final class LivePolicies implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(LivePolicies.class.getName());
    private static final String FILES = "policy files";

    private final Consumer<EgressPolicy> check;
    private final Map<String, Path> paths;
    private final Set<SessionPolicy> bound = ConcurrentHashMap.newKeySet();
    private volatile PolicyBook book;
    private volatile Optional<Fault> fault = Optional.empty();
    private volatile Instant read = Instant.now();
    private @Nullable PolicyWatch watch;

    private LivePolicies(PolicyBook book, Map<String, Path> paths, Consumer<EgressPolicy> check) {
        this.book = book;
        this.paths = paths;
        this.check = check;
    }

    /// Why the files as they are now are not in use.
    ///
    /// @param since when that was found
    /// @param problems each with its file
    public record Fault(Instant since, List<String> problems) {
        public Fault {
            problems = List.copyOf(problems);
        }
    }

    /// Reads the policies, and watches over them if they are in files.
    ///
    /// @param check throws an [EgressException] if doors cannot judge by a policy
    /// @throws PolicyException with all that is wrong with them
    public static LivePolicies open(PolicySource source, Consumer<EgressPolicy> check) {
        switch (source) {
            case PolicySource.Fixed(PolicyBook fixed) -> {
                warnOfLearning(fixed);
                return new LivePolicies(fixed, Map.of(), check);
            }
            case PolicyFiles files -> {
                Map<Path, PolicyFiles.Content> contents = files.contents();
                LivePolicies live = new LivePolicies(files.read(contents), files.paths(), check);
                warnOfLearning(live.book);
                if (!files.paths().isEmpty()) {
                    live.watch = new PolicyWatch(files, contents, now -> live.changed(files, now));
                }
                return live;
            }
        }
    }

    /// What a session may reach, from now until it is left.
    public SessionPolicy session(String sessionId) {
        return new SessionPolicy(sessionId, this);
    }

    /// The policy of whoever wishes for no other, as it is now.
    ///
    /// @throws SessionPolicyException if nothing of it is left that can be used
    public EgressPolicy standard() {
        PolicyBook now = book;
        return now.narrowed(now.standard(), SessionWishes.NONE);
    }

    /// All policies as they are now.
    public PolicyBook book() {
        return book;
    }

    /// Why the files as they are now are not in use, if they are not.
    public Optional<Fault> fault() {
        return fault;
    }

    /// When the policies that are in use were read.
    public Instant read() {
        return read;
    }

    /// The file of each policy that has one, by the policy's name.
    public Map<String, Path> paths() {
        return paths;
    }

    void add(SessionPolicy session) {
        bound.add(session);
    }

    void remove(SessionPolicy session) {
        bound.remove(session);
    }

    private void changed(PolicyFiles files, Map<Path, PolicyFiles.Content> contents) {
        PolicyBook next;
        try {
            next = files.read(contents);
            next.each((_, policy) -> check.accept(policy));
        } catch (PolicyException e) {
            keep(e.problems());
            return;
        } catch (EgressException e) {
            keep(List.of(String.valueOf(e.getMessage())));
            return;
        }
        book = next;
        read = Instant.now();
        fault = Optional.empty();
        LOG.log(Level.INFO, "policy files read, {0} doors judge by them", bound.size());
        warnOfLearning(next);
        tellAll();
    }

    private void keep(List<String> problems) {
        fault = Optional.of(new Fault(Instant.now(), problems));
        LOG.log(
                Level.WARNING,
                "the policy files are wrong, the policies read at {0} stay in use:\n  {1}",
                read.truncatedTo(ChronoUnit.SECONDS),
                String.join("\n  ", problems));
    }

    /// Cutting the connections of one door may take a while, for which no other waits.
    private void tellAll() {
        try (ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
            bound.forEach(session -> each.execute(() -> tell(session)));
        }
    }

    private static void tell(SessionPolicy session) {
        try {
            session.filesChanged(FILES);
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "a door could not be told of its policy", e);
        }
    }

    private static void warnOfLearning(PolicyBook book) {
        book.each((name, policy) -> {
            if (policy.fallback() == EgressPolicy.Fallback.LEARN) {
                LOG.log(
                        Level.WARNING,
                        "policy {0} learns: to every public address passes what no rule speaks of",
                        name);
            }
        });
    }

    /// Looks at no file any more; doors can still be bound.
    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
    }
}
