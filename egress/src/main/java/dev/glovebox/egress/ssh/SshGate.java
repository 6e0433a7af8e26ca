package dev.glovebox.egress.ssh;

import dev.glovebox.egress.wire.Deadline;
import dev.glovebox.egress.wire.Wire;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.session.SessionListener;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.session.SessionFactory;

/// A rule of protocol `ssh` with a credential: the door is the server for the sandbox and a client
/// for the real host, and commands pass between the two.
///
/// The client may show any key, password or none: which sandbox it is was known before it spoke.
/// The real host is dialled when a command was given, never before.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class SshGate extends ChannelInboundHandlerAdapter {
    private final Wire wire;
    private final Deadline deadline;
    private final SshServer server;
    private final Outside outside;

    /// @param host the name in the known-hosts file
    public SshGate(Wire wire, SshLogin login, HostKey key, String host, int port) {
        this.wire = wire;
        this.deadline = new Deadline(wire.client(), wire.patience());
        this.outside = new Outside(wire, login, host, port);
        this.server =
                Engines.server(key, (_, command) -> new Execution(wire, login, outside, command));
        server.addSessionListener(new LoggedIn());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        deadline.start(() -> {
            wire.denied("no SSH login came in time");
            wire.reset();
        });
        new NettyIoSession(ctx.channel(), new SessionFactory(server)).start("egress-ssh-inside");
        ctx.channel()
                .closeFuture()
                .addListener(_ -> {
                    deadline.stop();
                    Thread.ofVirtual().name("egress-ssh-close").start(outside::close);
                });
    }

    private final class LoggedIn implements SessionListener {
        @Override
        public void sessionEvent(Session session, Event event) {
            if (event == Event.Authenticated) {
                wire.client().eventLoop().execute(deadline::stop);
            }
        }
    }
}
