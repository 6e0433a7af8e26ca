package dev.glovebox.egress;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ServerSocketFactory;

/// An upstream, on the host's loopback unless told otherwise, that says what a test has it say,
/// byte by byte, in the clear or in TLS, and remembers the head of every request.
final class RawServer implements AutoCloseable {
    private final ServerSocket server;
    private final Script script;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger connections = new AtomicInteger();
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    private final List<String> heads = new CopyOnWriteArrayList<>();

    /// What happens on one connection, which ends with it.
    @FunctionalInterface
    interface Script {
        void serve(Talk talk) throws IOException;
    }

    /// One connection.
    final class Talk {
        private final InputStream in;
        private final OutputStream out;

        Talk(Socket socket) throws IOException {
            in = new BufferedInputStream(socket.getInputStream());
            out = socket.getOutputStream();
        }

        /// The next head, as it came; empty when the client has ended.
        String head() throws IOException {
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                int next = in.read();
                if (next < 0) {
                    return "";
                }
                head.append((char) next);
            }
            heads.add(head.toString());
            return head.toString();
        }

        /// As many bytes of a body.
        String body(int length) throws IOException {
            return new String(in.readNBytes(length), StandardCharsets.ISO_8859_1);
        }

        /// All that still comes.
        String rest() throws IOException {
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        }

        void say(String text) throws IOException {
            out.write(text.getBytes(StandardCharsets.ISO_8859_1));
            out.flush();
        }

        /// Answers with a body of known length.
        void answer(String headers, String body) throws IOException {
            say("HTTP/1.1 200 OK\r\n" + headers + "Content-Length: " + body.length() + "\r\n\r\n");
            say(body);
        }

        OutputStream out() {
            return out;
        }

        InputStream in() {
            return in;
        }
    }

    RawServer(Script script) throws IOException {
        this(ServerSocketFactory.getDefault(), script);
    }

    /// @param factory makes the listening socket: that of an `SSLContext` for TLS
    RawServer(ServerSocketFactory factory, Script script) throws IOException {
        this(factory, "127.0.0.1", 0, script);
    }

    /// Listens where the calling thread is.
    RawServer(ServerSocketFactory factory, String address, int port, Script script)
            throws IOException {
        this.server = factory.createServerSocket(port, 512, InetAddress.ofLiteral(address));
        this.script = script;
        threads.execute(this::accept);
    }

    /// One that answers each request on each connection with the first line of it.
    static void echoes(Talk talk) throws IOException {
        for (String head = talk.head(); !head.isEmpty(); head = talk.head()) {
            talk.answer("", head.lines().findFirst().orElse(""));
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = server.accept();
                connections.incrementAndGet();
                open.add(socket);
                threads.execute(() -> serve(socket));
            }
        } catch (IOException e) {
            // the server was closed
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            script.serve(new Talk(socket));
        } catch (IOException e) {
            // whoever came went away
        } finally {
            open.remove(socket);
        }
    }

    int port() {
        return server.getLocalPort();
    }

    int connections() {
        return connections.get();
    }

    /// How many connections are open now.
    int open() {
        return open.size();
    }

    /// The heads of all requests so far.
    List<String> heads() {
        return heads;
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
        threads.close();
    }
}
