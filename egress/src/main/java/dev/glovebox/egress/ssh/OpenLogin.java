package dev.glovebox.egress.ssh;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.sshd.common.Service;
import org.apache.sshd.common.ServiceFactory;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.server.session.ServerSession;
import org.apache.sshd.server.session.ServerUserAuthService;

/// The login of a client that was known before it spoke (RFC 4252): its first request is granted,
/// whatever key or password comes with it, and if none does.
final class OpenLogin extends ServerUserAuthService {
    private static final String NEXT = "ssh-connection";

    private OpenLogin(Session session) throws IOException {
        super(session);
    }

    @Override
    protected boolean handleUserAuthRequestMessage(
            ServerSession session, Buffer request, AtomicReference<Boolean> granted)
            throws Exception {
        if (session.isAuthenticated()) {
            return false;
        }
        String user = request.getString();
        if (!request.getString().equals(NEXT)) {
            return true;
        }
        session.signalAuthenticationSuccess(user, NEXT, request);
        return false;
    }

    /// Makes one for each session.
    static final class Factory implements ServiceFactory {
        @Override
        public String getName() {
            return "ssh-userauth";
        }

        @Override
        public Service create(Session session) throws IOException {
            return new OpenLogin(session);
        }
    }
}
