package dev.glovebox.egress.credential;

import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.egress.http.Injection;
import dev.glovebox.egress.wire.Allowance;
import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.credential.Source;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A credential of one door: its secrets, kept up to date, and what has been spent of its budget.
/// Thread-safe.
public final class BoundCredential {
    private static final long PATIENCE_SECONDS = 30;

    private final Credential credential;
    private final List<LiveSecret> secrets;
    private final Optional<Allowance> allowance;
    private final InstantSource clock;
    private volatile @Nullable HttpInjection last;

    /// The secrets at one time.
    ///
    /// @param secrets the credential's own, then the second one that some projections have
    public record Values(List<Secret> secrets) {
        public Values {
            secrets = List.copyOf(secrets);
        }

        /// The credential's own secret.
        public Secret secret() {
            return secrets.getFirst();
        }
    }

    BoundCredential(Credential credential, List<LiveSecret> secrets, InstantSource clock) {
        this.credential = credential;
        this.secrets = List.copyOf(secrets);
        this.clock = clock;
        this.allowance =
                credential
                        .budget()
                        .map(budget ->
                                new Allowance(
                                        "credential \"" + credential.name() + "\"", budget, clock));
    }

    /// What the policy says about it.
    public Credential credential() {
        return credential;
    }

    /// Gets the values that are good now. Exactly one of the two is called: at once if they are
    /// there, otherwise on the executor.
    ///
    /// @param failed is told one line for people that names the credential
    public void values(Executor executor, Consumer<Values> ready, Consumer<String> failed) {
        List<CompletableFuture<LiveSecret.Held>> asked =
                secrets.stream().map(LiveSecret::value).toList();
        CompletableFuture<Void> all =
                CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new));
        if (all.isDone()) {
            finish(asked, ready, failed);
        } else {
            CompletableFuture<Void> told =
                    all.handleAsync(
                            (_, _) -> {
                                finish(asked, ready, failed);
                                return null;
                            },
                            executor);
            told.exceptionally(_ -> null);
        }
    }

    private void finish(
            List<CompletableFuture<LiveSecret.Held>> asked,
            Consumer<Values> ready,
            Consumer<String> failed) {
        Values values;
        try {
            values = new Values(asked.stream().map(each -> each.join().value()).toList());
        } catch (CompletionException e) {
            failed.accept(reason(e.getCause()));
            return;
        }
        ready.accept(values);
    }

    private String reason(@Nullable Throwable cause) {
        return "credential \""
                + credential.name()
                + "\" cannot be had: "
                + (cause instanceof CredentialException e ? e.getMessage() : "its source failed");
    }

    /// What is left of its budget, if it has one.
    public Optional<Allowance> allowance() {
        return allowance;
    }

    /// Takes one login out of the budget.
    ///
    /// @return why not
    public Optional<String> spend() {
        return allowance.filter(each -> !each.request()).map(Allowance::refusal);
    }

    /// Gets what one HTTP request needs, and takes the request out of the budget. Exactly one of
    /// the two is called: at once if the values are there, otherwise on the executor.
    ///
    /// @param refused is told 429 if the budget is spent, 502 if there is no good value
    public void injection(
            Executor executor, Consumer<Injection> ready, Consumer<HttpMessages.Fault> refused) {
        values(
                executor,
                values -> {
                    HttpInjection made;
                    try {
                        made = made(values);
                    } catch (CredentialException e) {
                        refused.accept(new HttpMessages.Fault(502, reason(e)));
                        return;
                    }
                    Optional<HttpMessages.Fault> spent = made.spend();
                    if (spent.isPresent()) {
                        refused.accept(spent.get());
                    } else {
                        ready.accept(made);
                    }
                },
                reason -> refused.accept(new HttpMessages.Fault(502, reason)));
    }

    private HttpInjection made(Values values) throws CredentialException {
        HttpInjection before = last;
        if (before != null && before.carries(values.secrets())) {
            return before;
        }
        HttpInjection made = new HttpInjection(credential, values.secrets(), allowance, clock);
        last = made;
        return made;
    }

    /// Sees whether a secret that is at hand can be read, and begins to fetch one that is not.
    /// Blocks for the first.
    ///
    /// @throws CredentialException naming the credential
    public void check() throws CredentialException {
        boolean local =
                credential.source() instanceof Source.File
                        || credential.source() instanceof Source.Environment;
        for (LiveSecret secret : secrets) {
            CompletableFuture<LiveSecret.Held> value = secret.value();
            try {
                if (local) {
                    value.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
                }
            } catch (ExecutionException e) {
                throw new CredentialException(reason(e.getCause()), e);
            } catch (TimeoutException e) {
                throw new CredentialException(reason(e), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CredentialException(reason(e), e);
            }
        }
    }

    @Override
    public String toString() {
        return "credential " + credential.name();
    }
}
