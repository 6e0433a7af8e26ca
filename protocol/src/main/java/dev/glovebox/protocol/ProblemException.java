package dev.glovebox.protocol;

/// Carries a [Problem] up to the edge that answers it.
public final class ProblemException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Problem problem;

    /// @param problem what to answer
    public ProblemException(Problem problem) {
        super(problem.message());
        this.problem = problem;
    }

    /// Shorthand for a problem without details.
    public static ProblemException of(Problem.Kind kind, String message) {
        return new ProblemException(Problem.of(kind, message));
    }

    /// The caller sent something that cannot be accepted (400).
    public static ProblemException invalid(String message) {
        return of(Problem.Kind.INVALID_REQUEST, message);
    }

    /// What to answer.
    public Problem problem() {
        return problem;
    }
}
