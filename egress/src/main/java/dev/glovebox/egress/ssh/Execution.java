package dev.glovebox.egress.ssh;

import dev.glovebox.egress.wire.Wire;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.sshd.client.channel.ChannelExec;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.ExitCallback;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.command.Command;
import org.jspecify.annotations.Nullable;

/// One command that a client asked for: judged, run on the real host, its streams joined.
///
/// Each of the three streams has a virtual thread that copies; MINA's windows stop whoever is
/// faster. Of the environment only git's protocol version passes.
final class Execution implements Command {
    private static final String GIT_PROTOCOL = "GIT_PROTOCOL";
    private static final Pattern GIT_VERSION = Pattern.compile("version=[0-9](:version=[0-9])*");

    /// What a shell says about a command that it may not run.
    private static final int REFUSED = 126;

    private final Wire wire;
    private final SshLogin login;
    private final Outside outside;
    private final String command;
    private InputStream in = InputStream.nullInputStream();
    private OutputStream out = OutputStream.nullOutputStream();
    private OutputStream err = OutputStream.nullOutputStream();
    private @Nullable ExitCallback exit;
    private volatile @Nullable ChannelExec running;
    private volatile boolean destroyed;

    Execution(Wire wire, SshLogin login, Outside outside, String command) {
        this.wire = wire;
        this.login = login;
        this.outside = outside;
        this.command = command;
    }

    @Override
    public void setInputStream(InputStream stream) {
        this.in = stream;
    }

    @Override
    public void setOutputStream(OutputStream stream) {
        this.out = stream;
    }

    @Override
    public void setErrorStream(OutputStream stream) {
        this.err = stream;
    }

    @Override
    public void setExitCallback(ExitCallback callback) {
        this.exit = callback;
    }

    @Override
    public void start(ChannelSession channel, Environment environment) {
        String version = environment.getEnv().getOrDefault(GIT_PROTOCOL, "");
        String user = String.valueOf(channel.getSession().getUsername());
        Thread.ofVirtual().name("egress-ssh-exec").start(() -> run(user, version));
    }

    private void run(String user, String version) {
        if (!user.equals(login.user())) {
            refuse("logs in as user " + login.user() + " and no other");
            return;
        }
        switch (login.commands().judge(command)) {
            case CommandRules.Judged.Refused(String reason) -> refuse(reason);
            case CommandRules.Judged.Given(String given) -> execute(given, version);
        }
    }

    private void refuse(String reason) {
        String line = "rule \"" + wire.rule() + "\": " + reason;
        wire.client().eventLoop().execute(() -> wire.denied(line));
        end(REFUSED, "glovebox: " + wire.destination() + " refused, " + line + "\n");
    }

    private void execute(String given, String version) {
        Map<String, String> environment =
                GIT_VERSION.matcher(version).matches() ? Map.of(GIT_PROTOCOL, version) : Map.of();
        try (ChannelExec exec = outside.open().createExecChannel(given, null, environment)) {
            running = exec;
            if (destroyed) {
                return;
            }
            exec.open().verify(wire.patience());
            OutputStream to = exec.getInvertedIn();
            InputStream complaints = exec.getInvertedErr();
            InputStream from = exec.getInvertedOut();
            Thread.ofVirtual().name("egress-ssh-in").start(() -> copyAndClose(in, to));
            Thread errors =
                    Thread.ofVirtual().name("egress-ssh-err").start(() -> copy(complaints, err));
            copy(from, out);
            errors.join();
            exec.waitFor(
                    EnumSet.of(ClientChannelEvent.CLOSED, ClientChannelEvent.EXIT_STATUS),
                    wire.patience());
            Integer status = exec.getExitStatus();
            end(status == null ? 255 : status, "");
        } catch (IOException e) {
            String reason = "it is allowed, but " + e.getMessage();
            wire.client().eventLoop().execute(() -> wire.denied(reason));
            end(255, "glovebox: " + wire.destination() + ": " + reason + "\n");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void copyAndClose(InputStream from, OutputStream to) {
        try (to) {
            copy(from, to);
        } catch (IOException e) {
            // the command has ended; the other streams say how
        }
    }

    private static void copy(InputStream from, OutputStream to) {
        byte[] buffer = new byte[32 * 1024];
        try {
            int length;
            while ((length = from.read(buffer)) >= 0) {
                to.write(buffer, 0, length);
                to.flush();
            }
        } catch (IOException e) {
            // one side has gone; the end of the channel is what the other side is told
        }
    }

    private void end(int status, String message) {
        try {
            err.write(message.getBytes(StandardCharsets.UTF_8));
            err.flush();
            out.flush();
        } catch (IOException e) {
            // the client has gone
        }
        ExitCallback callback = exit;
        if (callback != null && !destroyed) {
            callback.onExit(status);
        }
    }

    @Override
    public void destroy(ChannelSession channel) {
        destroyed = true;
        ChannelExec exec = running;
        if (exec != null) {
            exec.close(true);
        }
    }
}
