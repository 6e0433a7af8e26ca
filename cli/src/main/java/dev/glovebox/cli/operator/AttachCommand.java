package dev.glovebox.cli.operator;

import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.TerminalDevice;
import dev.glovebox.worker.operator.Frame;
import dev.glovebox.worker.operator.OperatorChannel;
import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.worker.operator.Request;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// `glovebox sandbox attach`.
///
/// This process's terminal is raw meanwhile, so that every key goes inside. It gets its mode back
/// however this ends, a signal included; only `SIGKILL` leaves no time for it (`reset` helps).
@Command(
        name = "attach",
        description = {
            "Opens a shell, or another command, with a terminal beside the agent in its sandbox: in /workspace with the sandbox's"
                    + " environment, and within its limits.",
            "",
            "ctrl-p ctrl-q leaves and lets the command go on without a reader; closing the terminal hangs it up. The exit code is the"
                    + " command's; 128+N when signal N ended it, 125 when it could not be run or the sandbox ended.",
            "",
            "Examples:",
            "  glovebox sandbox attach sesn_01ab",
            "  glovebox sandbox attach sesn_01ab -- top"
        },
        mixinStandardHelpOptions = true,
        exitCodeOnExecutionException = 125)
public final class AttachCommand implements Callable<Integer> {
    private static final TerminalDevice TERMINAL = new TerminalDevice(0);

    @Mixin private WorkerChoice worker;

    @Parameters(
            index = "0",
            paramLabel = "NAME",
            description = "Sandbox, session, or the beginning of either.")
    private String name;

    @Parameters(
            index = "1..*",
            arity = "0..*",
            paramLabel = "CMD",
            description = "Default: bash -l")
    private List<String> command = List.of("bash", "-l");

    @Override
    public Integer call() {
        if (!TERMINAL.isTerminal()) {
            throw new OperatorException(
                    "attach needs a terminal; without one: glovebox sandbox exec "
                            + name
                            + " -- CMD");
        }
        Request.Exec request = new Request.Exec(name, command, Optional.of(screen()));
        try (OperatorChannel channel = worker.client().exec(request)) {
            System.err.println("attached; ctrl-p ctrl-q leaves and lets it run");
            TerminalDevice.onResize(() -> resized(channel));
            resized(channel); // it may have changed before the line above
            Conversation conversation = new Conversation(channel, new DetachKeys());
            int code = raw(conversation);
            if (conversation.detached()) {
                System.err.println("detached; the command goes on in " + name);
            }
            return code;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int raw(Conversation conversation) {
        TerminalDevice.Raw raw = TERMINAL.raw();
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> restore(raw)));
        try {
            return conversation.run();
        } finally {
            restore(raw);
        }
    }

    private static void restore(TerminalDevice.Raw raw) {
        try {
            raw.close();
        } catch (LinuxException _) {
            // the terminal itself has gone
        }
    }

    private static void resized(OperatorChannel channel) {
        Request.Screen screen = screen();
        try {
            channel.write(new Frame.Resize(screen.rows(), screen.columns()));
        } catch (IOException _) {
            // the command is over
        }
    }

    /// The terminal as it is now; one that does not know its size is taken for 24 by 80.
    private static Request.Screen screen() {
        Map<String, String> variables = System.getenv();
        String type = variables.getOrDefault("TERM", "");
        TerminalDevice.Size size = TERMINAL.size();
        boolean known = size.rows() > 0 && size.columns() > 0;
        return new Request.Screen(
                type.isEmpty() ? "xterm" : type,
                known ? size.rows() : 24,
                known ? size.columns() : 80);
    }
}
