package dev.glovebox.sandbox.launch;

import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.guest.Exit;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/// The run of the command a template prepares its root with.
public final class Preparation {
    /// Longest it may take.
    public static final Duration DEADLINE = Duration.ofMinutes(10);

    /// What takes longer is told.
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private static final Duration BETWEEN = Duration.ofSeconds(30);

    private final Template template;
    private final Sandbox sandbox;
    private final GuestProcess process;
    private final LastOutput last = new LastOutput();

    private Preparation(Template template, Sandbox sandbox, GuestProcess process) {
        this.template = template;
        this.sandbox = sandbox;
        this.process = process;
    }

    /// Runs it to its end.
    ///
    /// @param progress is told what it has last written, after 2 s and then every 30 s
    /// @throws SandboxException [Band#TEMPLATE] with its last output if it fails or takes too long
    public static void run(Sandbox sandbox, Template template, Consumer<String> progress) {
        ProcessRequest request =
                new ProcessRequest(
                        template.prepare(), sandbox.environment(), "/", Optional.empty(), true);
        try (GuestProcess process = sandbox.guest().start(request)) {
            process.stdin().close();
            new Preparation(template, sandbox, process).run(progress);
        } catch (GuestException e) {
            throw failed(template, "did not end well (" + e.getMessage() + ")", "");
        }
    }

    private void run(Consumer<String> progress) {
        Thread reader = Thread.ofVirtual().name("prepare-" + template.name()).start(this::read);
        try {
            Exit exit = exit(progress);
            reader.join();
            if (!exit.success()) {
                throw failed(template, how(exit), last.text());
            }
        } catch (GuestException e) {
            throw failed(template, "did not end well (" + e.getMessage() + ")", last.text());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed(template, "was interrupted", last.text());
        }
    }

    private Exit exit(Consumer<String> progress) {
        Duration waited = Duration.ZERO;
        Duration step = PATIENCE;
        while (true) {
            try {
                return process.waitFor(step);
            } catch (TimeoutException e) {
                waited = waited.plus(step);
                Duration left = DEADLINE.minus(waited);
                if (!left.isPositive()) {
                    throw failed(template, "took longer than " + DEADLINE, last.text());
                }
                progress.accept(
                        String.format(
                                Locale.ROOT,
                                "preparing template %s, for %d s by now: %s",
                                template.name(),
                                waited.toSeconds(),
                                last.line()));
                step = left.compareTo(BETWEEN) < 0 ? left : BETWEEN;
            }
        }
    }

    private String how(Exit exit) {
        String ending =
                exit.signal() == 0
                        ? "ended with exit code " + exit.code()
                        : "was ended by signal " + exit.signal();
        return sandbox.oomKills() == 0 ? ending : ending + ", after it had run out of memory";
    }

    private void read() {
        byte[] buffer = new byte[LastOutput.MOST];
        try {
            int count = process.stdout().read(buffer, 0, buffer.length);
            while (count >= 0) {
                last.add(buffer, count);
                count = process.stdout().read(buffer, 0, buffer.length);
            }
        } catch (IOException e) {
            last.add(e.toString().getBytes(StandardCharsets.UTF_8), e.toString().length());
        }
    }

    /// The end of what the command writes, without what moves a terminal's cursor or colours it;
    /// for two threads.
    private static final class LastOutput {
        static final int MOST = 4096;

        private byte[] kept = new byte[0];

        synchronized void add(byte[] bytes, int count) {
            byte[] both = Arrays.copyOf(kept, kept.length + count);
            System.arraycopy(bytes, 0, both, kept.length, count);
            kept = Arrays.copyOfRange(both, Math.max(0, both.length - MOST), both.length);
        }

        synchronized String text() {
            return new String(kept, StandardCharsets.UTF_8)
                    .replaceAll("\\r\\n?", "\n")
                    .replaceAll("[\\p{Cntrl}&&[^\\n\\t]]", "?")
                    .strip();
        }

        String line() {
            return text().lines().reduce("", (_, later) -> later);
        }
    }

    private static SandboxException failed(Template template, String how, String last) {
        return new SandboxException(
                Band.TEMPLATE,
                String.format(
                        Locale.ROOT,
                        "the preparation of template %s %s: %s",
                        template.name(),
                        how,
                        last));
    }
}
