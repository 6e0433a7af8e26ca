package dev.glovebox.egress.audit;

import java.util.concurrent.CompletableFuture;

/// Where doors put their records.
public interface Audit {
    /// Keeps nothing, for doors without an operator.
    Audit NONE = _ -> CompletableFuture.completedFuture(-1L);

    /// Takes a record. Never blocks.
    ///
    /// @return completes with the record's number when it is on stable storage, or exceptionally
    ///   with an [AuditException] when it will never be
    CompletableFuture<Long> record(AuditEvent event);

    /// Whether an act that uses no credential goes on without its record.
    default boolean passUnrecorded() {
        return false;
    }
}
