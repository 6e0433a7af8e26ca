package dev.glovebox.worker.policy;

import dev.glovebox.egress.EgressException;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What one session may reach, for as long as this worker serves it: by the operator's files, less
/// what the session itself wishes away; or by what an operator said by hand, less the same.
///
/// A policy that was given by hand belongs to the session and not to its sandbox, so that nobody
/// gets rid of it by ending a sandbox, and no change of a file takes it back. When what the door is
/// to judge by cannot be made, nothing may be reached. Thread-safe.
public final class SessionPolicy {
    private static final System.Logger LOG = System.getLogger(SessionPolicy.class.getName());
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final String BY_HAND = "by hand";

    private final String sessionId;
    private final LivePolicies live;
    private final CompletableFuture<SessionWishes> wishes = new CompletableFuture<>();
    private volatile Optional<String> refusal = Optional.empty();

    /// Held while the door is told, so that it hears one thing after the other.
    private final ReentrantLock telling = new ReentrantLock();

    // Guarded by the lock, from here on.
    private @Nullable Judge door;
    private @Nullable EgressPolicy hand;
    private View view = new View(PolicyBook.STANDARD, "", Instant.EPOCH, EgressPolicy.DENY_ALL, "");

    SessionPolicy(String sessionId, LivePolicies live) {
        this.sessionId = sessionId;
        this.live = live;
    }

    /// What a door is told.
    ///
    /// @param name of the policy, or that it was given by hand
    /// @param by who wanted the last change
    /// @param since when that was
    /// @param policy what is left of it for the session
    /// @param trouble why it is not what it should be, empty if it is
    public record View(
            String name, String by, Instant since, EgressPolicy policy, String trouble) {}

    /// Says what the control plane knows of the session.
    public void wished(JsonNode metadata) {
        try {
            wishes.complete(SessionWishes.of(metadata, live.book()));
        } catch (SessionPolicyException e) {
            LOG.log(
                    Level.WARNING,
                    "{0} gets no sandbox: {1}; sessions may ask for {2} of the policies {3}",
                    sessionId,
                    e.getMessage(),
                    live.book().honoured(),
                    live.book().named().keySet());
            refusal = Optional.ofNullable(e.getMessage());
            wishes.completeExceptionally(e);
        }
    }

    /// The session is left; whoever waits for its wishes waits no longer.
    public void left() {
        wishes.completeExceptionally(new SessionPolicyException("the session has been left"));
    }

    /// Why the session gets no sandbox, if it does not.
    public Optional<String> refusal() {
        return refusal;
    }

    /// Waits until it is known what the session wishes, where that matters.
    ///
    /// @throws SessionPolicyException if it cannot have that
    public void await() {
        if (!live.book().honoured().isEmpty()) {
            wishes();
        }
    }

    /// Tells a door what to judge by, now and whenever that changes, until what is returned is
    /// closed.
    ///
    /// @throws SessionPolicyException if the session cannot have what it wishes
    /// @throws EgressException if a credential cannot be read
    public Binding bind(Judge judge) {
        await();
        live.add(this);
        telling.lock();
        try {
            door = judge;
            tell("session start", judge, true);
        } catch (RuntimeException e) {
            door = null;
            live.remove(this);
            throw e;
        } finally {
            telling.unlock();
        }
        return () -> {
            live.remove(this);
            telling.lock();
            try {
                door = null;
            } finally {
                telling.unlock();
            }
        };
    }

    /// A door that is told.
    @FunctionalInterface
    public interface Binding extends AutoCloseable {
        @Override
        void close();
    }

    /// What the door judges by.
    public View view() {
        telling.lock();
        try {
            return view;
        } finally {
            telling.unlock();
        }
    }

    /// Judges by a policy that an operator has given, less what is taken away from every policy of
    /// this session, until the session is left or another is given.
    ///
    /// @throws SessionPolicyException if what is left cannot be used
    /// @throws EgressException if a credential cannot be read; nothing has changed then
    public void byHand(EgressPolicy policy, String by) {
        change(policy, by);
    }

    /// Judges by the operator's files again.
    ///
    /// @throws SessionPolicyException if what is left cannot be used
    /// @throws EgressException if a credential cannot be read; nothing has changed then
    public void byFiles(String by) {
        change(null, by);
    }

    private void change(@Nullable EgressPolicy given, String by) {
        telling.lock();
        try {
            EgressPolicy before = hand;
            hand = given;
            Judge judge = door;
            try {
                if (judge != null) {
                    tell(by, judge, false);
                }
            } catch (RuntimeException e) {
                hand = before;
                throw e;
            }
        } finally {
            telling.unlock();
        }
    }

    /// The operator's files have changed.
    void filesChanged(String by) {
        telling.lock();
        try {
            Judge judge = door;
            if (judge == null) {
                return;
            }
            try {
                tell(by, judge, false);
            } catch (SessionPolicyException | EgressException e) {
                LOG.log(
                        Level.ERROR,
                        "{0} may reach nothing: its policy cannot be made: {1}",
                        sessionId,
                        e.getMessage());
                judge.judgeBy(EgressPolicy.DENY_ALL, by);
                view =
                        new View(
                                view.name(),
                                by,
                                Instant.now(),
                                EgressPolicy.DENY_ALL,
                                String.valueOf(e.getMessage()));
            }
        } finally {
            telling.unlock();
        }
    }

    /// @param anew whether the door has been told nothing yet
    private void tell(String by, Judge judge, boolean anew) {
        PolicyBook book = live.book();
        SessionWishes wanted = book.honoured().isEmpty() ? SessionWishes.NONE : wishes();
        EgressPolicy given = hand;
        String name = given == null ? wanted.policy().orElse(PolicyBook.STANDARD) : BY_HAND;
        EgressPolicy policy = book.narrowed(given == null ? book.chosen(wanted) : given, wanted);
        boolean same =
                policy.equals(view.policy())
                        && name.equals(view.name())
                        && view.trouble().isEmpty();
        if (anew || !same) {
            judge.judgeBy(policy, by + ": policy " + name);
            view = new View(name, by, Instant.now(), policy, "");
        }
    }

    private SessionWishes wishes() {
        try {
            return wishes.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof SessionPolicyException refused
                    ? refused
                    : new IllegalStateException("only wishes fail", e);
        } catch (TimeoutException e) {
            throw new SessionPolicyException("nobody says what the session wishes");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SessionPolicyException("interrupted");
        }
    }
}
