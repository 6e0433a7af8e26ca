package dev.glovebox.cli.operator;

import dev.glovebox.linux.TerminalDevice;
import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.worker.operator.Printable;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/// What is asked before something is gone for good.
final class Question {
    private Question() {}

    /// Asks on the terminal whether to delete.
    ///
    /// @param what is to be deleted; may be text of a stranger
    /// @throws OperatorException where there is no terminal
    static boolean delete(String what) {
        if (!new TerminalDevice(0).isTerminal()) {
            throw new OperatorException("delete asks first, and here is no terminal: add --yes");
        }
        System.err.print("delete " + Printable.line(what) + "? [y/N] ");
        System.err.flush();
        try {
            @Nullable String answer =
                    new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                            .readLine();
            return answer != null && (answer.equals("y") || answer.equals("yes"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
