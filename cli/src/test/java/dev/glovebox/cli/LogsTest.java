package dev.glovebox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LogsTest {
    private static final Logger ROOT = Logger.getLogger("");
    private static final Logger NETTY = Logger.getLogger("io.netty");
    private static final Logger OWN = Logger.getLogger("dev.glovebox");

    private final List<Handler> handlers = new ArrayList<>(List.of(ROOT.getHandlers()));

    @AfterEach
    void restore() {
        for (Handler each : ROOT.getHandlers()) {
            ROOT.removeHandler(each);
        }
        handlers.forEach(ROOT::addHandler);
        ROOT.setLevel(Level.INFO);
        NETTY.setLevel(null);
        OWN.setLevel(null);
    }

    /// B21: the door's codecs warn of what came from inside.
    @Test
    void whatAPeerDid_isNotInTheLogUnlessAskedFor() {
        Logs.configure("");
        assertThat(OWN.isLoggable(Level.WARNING)).as("positive control").isTrue();
        assertThat(OWN.isLoggable(Level.INFO)).isFalse();
        assertThat(Logger.getLogger("io.netty.handler.ssl.SslHandler").isLoggable(Level.WARNING))
                .isFalse();
        assertThat(Logger.getLogger("io.netty.util").isLoggable(Level.SEVERE)).isTrue();
        restore();
        Logs.configure("info");
        assertThat(Logger.getLogger("io.netty.handler.ssl.SslHandler").isLoggable(Level.WARNING))
                .isTrue();
    }
}
