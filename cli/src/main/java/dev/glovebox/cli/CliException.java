package dev.glovebox.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/// A command cannot be carried out as it was given; the message says why and what to type instead.
final class CliException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int DEEPEST = 8;

    CliException(String message) {
        super(message);
    }

    /// What went wrong, for the person who typed the command: the message of each cause that adds
    /// to it.
    static String describe(Throwable failure) {
        StringBuilder text = new StringBuilder(text(failure));
        Throwable cause = failure.getCause();
        for (int depth = 0; cause != null && depth < DEEPEST; depth++) {
            if (text.indexOf(text(cause)) < 0) {
                text.append(": ").append(text(cause));
            }
            cause = cause.getCause();
        }
        return text.toString();
    }

    private static String text(Throwable failure) {
        if (failure instanceof IOException e) {
            return reason(e);
        }
        return failure.getMessage() == null
                ? "internal error ("
                        + failure.getClass().getSimpleName()
                        + "); GLOVEBOX_LOG=debug tells more"
                : failure.getMessage();
    }

    /// What an I/O error means, without its Java name.
    static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> "no such file";
            case AccessDeniedException _ -> "permission denied";
            default -> e.getMessage() == null ? "input/output error" : e.getMessage();
        };
    }
}
