package dev.glovebox.worker.operator;

import dev.glovebox.protocol.Json;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;

/// The other end of the operator's socket: one connection for each request.
public final class OperatorClient {
    private static final int LONGEST_ANSWER = 32 * 1024 * 1024;

    private final Path socket;

    /// @param socket as [OperatorSocket] says
    public OperatorClient(Path socket) {
        this.socket = socket;
    }

    /// Asks and waits for the whole answer.
    ///
    /// @throws OperatorException if no worker is there, or it says no
    public JsonNode ask(Request request) {
        try (OperatorChannel channel = connect()) {
            return answer(channel, request);
        } catch (IOException e) {
            throw gone(e);
        }
    }

    /// Starts a command; the frames on the channel that is returned are the command's, until the
    /// caller closes it.
    ///
    /// @throws OperatorException if no worker is there, or it says no
    public OperatorChannel exec(Request.Exec request) {
        OperatorChannel channel = connect();
        try {
            answer(channel, request);
            return channel;
        } catch (IOException e) {
            quietly(channel);
            throw gone(e);
        } catch (RuntimeException e) {
            quietly(channel);
            throw e;
        }
    }

    private static JsonNode answer(OperatorChannel channel, Request request) throws IOException {
        channel.writeLine(request.line());
        JsonNode answer = Json.tree(channel.readLine(LONGEST_ANSWER));
        if (!answer.path("ok").asBoolean(false)) {
            throw new OperatorException(answer.path("error").asString("the worker says no"));
        }
        return answer;
    }

    private OperatorChannel connect() {
        try {
            SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                channel.connect(UnixDomainSocketAddress.of(socket));
                return new OperatorChannel(channel);
            } catch (IOException e) {
                channel.close();
                throw e;
            }
        } catch (IOException e) {
            throw new OperatorException(noWorker(e), e);
        }
    }

    private String noWorker(IOException e) {
        if (e instanceof ConnectException || Files.notExists(socket)) {
            return "no worker listens on "
                    + socket
                    + "; start one with `glovebox up` or `glovebox worker`, or name another's data"
                    + " directory with --data DIR";
        }
        if (String.valueOf(e.getMessage()).contains("ermission denied")) {
            return socket + " is open only to the user the worker runs as: use sudo";
        }
        return "cannot connect to " + socket + ": " + e.getMessage();
    }

    private OperatorException gone(IOException e) {
        return new OperatorException(
                e instanceof EOFException
                        ? "the worker at " + socket + " hung up: it ends, or you are not its user"
                        : "the worker at " + socket + " has gone: " + e.getMessage(),
                e);
    }

    private static void quietly(OperatorChannel channel) {
        try {
            channel.close();
        } catch (IOException _) {
            // closed all the same
        }
    }
}
