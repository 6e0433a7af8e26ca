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
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/// The run of the command a template prepares its root with.
public final class Preparation {
    /// Longest it may take.
    public static final Duration DEADLINE = Duration.ofMinutes(10);

    private static final int LAST_BYTES = 4096;

    private Preparation() {}

    /// Runs it to its end.
    ///
    /// @throws SandboxException [Band#CALLER] with its last output if it fails or takes too long
    public static void run(Sandbox sandbox, Template template) {
        ProcessRequest request =
                new ProcessRequest(
                        template.prepare(), sandbox.environment(), "/", Optional.empty(), true);
        byte[] last = new byte[0];
        try (GuestProcess process = sandbox.guest().start(request)) {
            process.stdin().close();
            Thread watch =
                    Thread.ofVirtual()
                            .name("prepare-" + template.name())
                            .start(() -> endInTime(process));
            last = last(process.stdout());
            Exit exit = process.waitFor(DEADLINE);
            watch.interrupt();
            if (exit.code() != 0) {
                throw failed(template, "ended with " + exit, last);
            }
        } catch (IOException | GuestException | TimeoutException e) {
            throw failed(template, "did not end well (" + e.getMessage() + ")", last);
        }
    }

    private static void endInTime(GuestProcess process) {
        try {
            Thread.sleep(DEADLINE);
            process.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static byte[] last(InputStream output) throws IOException {
        byte[] kept = new byte[0];
        byte[] buffer = new byte[LAST_BYTES];
        for (int n = output.read(buffer); n >= 0; n = output.read(buffer)) {
            byte[] both = Arrays.copyOf(kept, kept.length + n);
            System.arraycopy(buffer, 0, both, kept.length, n);
            kept = Arrays.copyOfRange(both, Math.max(0, both.length - LAST_BYTES), both.length);
        }
        return kept;
    }

    private static SandboxException failed(Template template, String how, byte[] last) {
        return new SandboxException(
                Band.CALLER,
                String.format(
                        Locale.ROOT,
                        "the preparation of template %s %s: %s",
                        template.name(),
                        how,
                        new String(last, StandardCharsets.UTF_8).strip()));
    }
}
