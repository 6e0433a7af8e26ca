package dev.glovebox.egress.ssh;

import dev.glovebox.egress.wire.Wire;
import io.netty.channel.Channel;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.client.session.SessionFactory;
import org.apache.sshd.common.session.helpers.AbstractSession;
import org.apache.sshd.common.session.helpers.AbstractSessionIoHandler;
import org.jspecify.annotations.Nullable;

/// The connection to the real host: made when the first command is given, and used for every later
/// one of the same client. Blocks; for virtual threads.
final class Outside {
    private final Wire wire;
    private final SshLogin login;
    private final String host;
    private final int port;
    private @Nullable ClientSession session;

    Outside(Wire wire, SshLogin login, String host, int port) {
        this.wire = wire;
        this.login = login;
        this.host = host;
        this.port = port;
    }

    /// The session, logged in.
    ///
    /// @throws IOException with a reason for the client, without secrets
    synchronized ClientSession open() throws IOException {
        ClientSession open = session;
        if (open == null || !open.isOpen()) {
            open = logIn();
            session = open;
        }
        return open;
    }

    private ClientSession logIn() throws IOException {
        KnownHosts hosts;
        try {
            hosts = KnownHosts.of(login.knownHosts(), host, port);
        } catch (IOException | RuntimeException e) {
            throw new IOException("the known-hosts file of the credential cannot be read", e);
        }
        if (hosts.keys().isEmpty()) {
            throw new IOException("the host has no key in the known-hosts file of the credential");
        }
        SshClient client = Engines.client(hosts);
        ClientSession made = begin(dial(), client);
        try {
            made.setUsername(login.user());
            made.addPublicKeyIdentity(Engines.key(login.key()));
            made.auth().verify(wire.patience());
            return made;
        } catch (IOException e) {
            boolean keysExchanged = made.getServerKey() != null;
            boolean known = keysExchanged && hosts.has(made.getServerKey());
            made.close(true);
            throw new IOException(
                    !keysExchanged
                            ? "the server does not speak SSH with a key that is known"
                            : known
                                    ? "the server refused the login"
                                    : "the server's key is not the known one",
                    e);
        }
    }

    private Channel dial() throws IOException {
        CompletableFuture<Channel> dialled = new CompletableFuture<>();
        wire.client()
                .eventLoop()
                .execute(() ->
                        wire.dial(
                                dialled::complete,
                                reason -> dialled.completeExceptionally(new IOException(reason))));
        return await(dialled, wire.patience().multipliedBy(4));
    }

    private ClientSession begin(Channel channel, SshClient client) throws IOException {
        CompletableFuture<ClientSession> created = new CompletableFuture<>();
        AbstractSessionIoHandler handler =
                new SessionFactory(client) {
                    @Override
                    public void sessionCreated(org.apache.sshd.common.io.IoSession io)
                            throws Exception {
                        super.sessionCreated(io);
                        created.complete((ClientSession) AbstractSession.getSession(io));
                    }
                };
        NettyIoSession io = new NettyIoSession(channel, handler);
        channel.eventLoop().execute(() -> io.start("egress-ssh-outside"));
        return await(created, wire.patience());
    }

    private static <T> T await(CompletableFuture<T> future, Duration patience) throws IOException {
        try {
            return future.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IOException(String.valueOf(reason(e)), e);
        } catch (TimeoutException e) {
            throw new IOException("the server did not answer in time", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static @Nullable String reason(ExecutionException e) {
        Throwable cause = e.getCause();
        return cause == null ? e.getMessage() : cause.getMessage();
    }

    /// Closes the connection, if there is one.
    synchronized void close() {
        if (session != null) {
            session.close(true);
        }
    }
}
