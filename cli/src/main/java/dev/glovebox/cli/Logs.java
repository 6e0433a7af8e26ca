package dev.glovebox.cli;

import java.util.Locale;
import java.util.logging.ConsoleHandler;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/// Where log records of this process go: one line each on standard error, warnings and worse of
/// everybody's, more when `GLOVEBOX_LOG` asks for it (`info`, `debug`; debug only of Glovebox's own
/// rooms). What Netty warns of is what a peer did, and a sandbox could have it written without end:
/// it is told with `info`.
final class Logs {
    /// Kept, because loggers that nobody holds are collected together with their levels.
    private static final Logger OWN = Logger.getLogger("dev.glovebox");

    private static final Logger NETTY = Logger.getLogger("io.netty");

    private Logs() {}

    /// Whether everything is to be told.
    static boolean debug() {
        return OWN.isLoggable(Level.FINE);
    }

    static void configure(String wish) {
        System.setProperty(
                "java.util.logging.SimpleFormatter.format", "%1$tFT%1$tT %4$s %3$s: %5$s%6$s%n");
        Logger root = Logger.getLogger("");
        for (var handler : root.getHandlers()) {
            root.removeHandler(handler);
        }
        ConsoleHandler handler = new ConsoleHandler();
        handler.setFormatter(new SimpleFormatter());
        handler.setLevel(Level.ALL);
        root.addHandler(handler);
        switch (wish.toLowerCase(Locale.ROOT)) {
            case "debug" -> {
                root.setLevel(Level.INFO);
                OWN.setLevel(Level.FINE);
            }
            case "info" -> root.setLevel(Level.INFO);
            default -> {
                root.setLevel(Level.WARNING);
                NETTY.setLevel(Level.SEVERE);
            }
        }
    }
}
