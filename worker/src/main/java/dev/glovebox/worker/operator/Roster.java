package dev.glovebox.worker.operator;

import dev.glovebox.worker.policy.LivePolicies;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// The sandboxes a worker has now. Thread-safe.
public final class Roster {
    private static final int NAMED = 20;

    private final Set<LiveSandbox> live = ConcurrentHashMap.newKeySet();
    private final Optional<LivePolicies> policies;
    private volatile Supplier<List<SandboxView>> waiting = List::of;

    /// An empty one.
    ///
    /// @param policies of the worker, if it has sandboxes at all
    public Roster(Optional<LivePolicies> policies) {
        this.policies = policies;
    }

    /// The policies of the worker.
    ///
    /// @throws OperatorException if it has none
    LivePolicies policies() {
        return policies.orElseThrow(() -> new OperatorException("this worker has no policies"));
    }

    /// Takes one in until what is returned is closed.
    public Entry add(LiveSandbox sandbox) {
        live.add(sandbox);
        return () -> live.remove(sandbox);
    }

    /// Says where those are to be seen that wait for a session. They are shown and nothing else:
    /// one in which an operator had run something could be given to no session any more.
    public void waiting(Supplier<List<SandboxView>> views) {
        waiting = views;
    }

    /// All there is to see.
    List<SandboxView> views() {
        List<SandboxView> views = new ArrayList<>(all().stream().map(LiveSandbox::view).toList());
        views.addAll(waiting.get());
        return views;
    }

    /// All but the deleted ones, by name.
    List<LiveSandbox> all() {
        return live.stream()
                .filter(one -> !one.deleted())
                .sorted(Comparator.comparing(LiveSandbox::name))
                .toList();
    }

    /// The one that is meant by its name, its session's id, or a beginning of either that no other
    /// has.
    ///
    /// @throws OperatorException that says what there is
    LiveSandbox find(String text) {
        List<LiveSandbox> all = all();
        List<Predicate<LiveSandbox>> readings =
                List.of(
                        one -> one.name().equals(text),
                        one -> one.sessionId().equals(text),
                        one -> one.name().startsWith(text) || one.sessionId().startsWith(text));
        for (Predicate<LiveSandbox> reading : readings) {
            List<LiveSandbox> found = all.stream().filter(reading).toList();
            if (found.size() == 1 && !text.isEmpty()) {
                return found.getFirst();
            }
            if (!found.isEmpty()) {
                throw new OperatorException(
                        "'" + text + "' could be each of: " + names(found) + "; type more of it");
            }
        }
        throw new OperatorException(
                all.isEmpty()
                        ? "no sandbox '" + text + "': this worker serves no session now"
                        : "no sandbox '" + text + "'; there are: " + names(all));
    }

    private static String names(List<LiveSandbox> sandboxes) {
        String names =
                sandboxes.stream()
                        .limit(NAMED)
                        .map(LiveSandbox::sessionId)
                        .collect(Collectors.joining(", "));
        return sandboxes.size() > NAMED
                ? names + " and " + (sandboxes.size() - NAMED) + " more"
                : names;
    }

    /// A place in the roster.
    @FunctionalInterface
    public interface Entry extends AutoCloseable {
        @Override
        void close();
    }
}
