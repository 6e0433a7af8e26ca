package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Secret;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// A secret that is kept up to date. Thread-safe; never blocks.
///
/// Whoever asks gets the value that is held, at once, while it is good: not expired, and its source
/// unchanged. When four fifths of its life are over it is fetched anew behind the back of those who
/// ask; while that fails the old value serves on, until it expires and not an instant longer. Then,
/// and at the beginning, and when the source has changed, those who ask wait for one fetch, which
/// they share, or hear why there is no value. After a failed fetch the source is left in peace for
/// a while, 1 s at first and 30 s at most, unless it changes.
public final class LiveSecret {
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    private final SecretSource source;
    private final Executor fetches;
    private final InstantSource clock;
    private long generation;
    private @Nullable Held held;
    private @Nullable CompletableFuture<Held> flight;
    private @Nullable Failure failure;
    private Instant refresh = Instant.MAX;
    private Object heldStamp = "";

    /// A value and its number: a new value has a higher one, the same value fetched again the same.
    ///
    /// @param value the secret
    /// @param generation counts the values, from 1
    /// @param expires from when on it must not be used
    public record Held(Secret value, long generation, Instant expires) {}

    private record Failure(
            CredentialException reason, Instant until, Duration pause, Object stamp) {}

    /// @param source where it comes from
    /// @param fetches runs the fetches, which block
    /// @param clock the time
    public LiveSecret(SecretSource source, Executor fetches, InstantSource clock) {
        this.source = source;
        this.fetches = fetches;
        this.clock = clock;
    }

    /// The value, now or as soon as the fetch under way has ended. Fails with a
    /// [CredentialException].
    public synchronized CompletableFuture<Held> value() {
        Instant now = clock.instant();
        Object stamp = source.stamp();
        Held good = held;
        boolean pausing = pausing(now, stamp);
        if (good != null && heldStamp.equals(stamp) && now.isBefore(good.expires())) {
            if (!now.isBefore(refresh) && flight == null && !pausing) {
                begin(new CompletableFuture<>(), stamp);
            }
            return CompletableFuture.completedFuture(good);
        }
        if (flight != null) {
            return flight.copy();
        }
        if (pausing && failure != null) {
            return CompletableFuture.failedFuture(failure.reason());
        }
        CompletableFuture<Held> begun = new CompletableFuture<>();
        begin(begun, stamp);
        return begun.copy();
    }

    private boolean pausing(Instant now, Object stamp) {
        return failure != null && failure.stamp().equals(stamp) && now.isBefore(failure.until());
    }

    private void begin(CompletableFuture<Held> begun, Object stamp) {
        flight = begun;
        try {
            fetches.execute(() -> run(begun, stamp));
        } catch (RejectedExecutionException e) {
            flight = null;
            begun.completeExceptionally(
                    new CredentialException("too many secrets are being fetched", e));
        }
    }

    private void run(CompletableFuture<Held> begun, Object stamp) {
        try {
            Held got = landed(source.fetch());
            begun.complete(got);
        } catch (CredentialException e) {
            failed(e, stamp);
            begun.completeExceptionally(e);
        } catch (RuntimeException | Error e) {
            CredentialException unexpected =
                    new CredentialException("its source failed: " + e.getClass().getSimpleName());
            failed(unexpected, stamp);
            begun.completeExceptionally(unexpected);
        }
    }

    private synchronized Held landed(SecretSource.Fetched fetched) {
        Instant now = clock.instant();
        boolean same = held != null && held.value().equals(fetched.value());
        generation += same ? 0 : 1;
        held = new Held(fetched.value(), generation, fetched.expires());
        heldStamp = fetched.stamp();
        refresh =
                fetched.expires().equals(Instant.MAX)
                        ? Instant.MAX
                        : now.plus(
                                Duration.between(now, fetched.expires())
                                        .multipliedBy(4)
                                        .dividedBy(5));
        failure = null;
        flight = null;
        return held;
    }

    private synchronized void failed(CredentialException reason, Object stamp) {
        Duration pause =
                failure == null || !failure.stamp().equals(stamp)
                        ? FIRST_PAUSE
                        : failure.pause().multipliedBy(2);
        pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
        failure = new Failure(reason, clock.instant().plus(pause), pause, stamp);
        flight = null;
    }

    @Override
    public String toString() {
        return "[secret]";
    }
}
