package dev.glovebox.spec.bench;

import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;

/// A client program: makes connections one after another, has one request answered on each over
/// HTTP/1.1, says `held`, and keeps them until its input ends.
///
/// Arguments: a URL and how many. It believes any certificate, as `wrk` does.
final class HeldConnections {
    private HeldConnections() {}

    /// All of it.
    public static void main(String[] args) throws IOException, GeneralSecurityException {
        URI url = URI.create(args[0]);
        List<Socket> held = new ArrayList<>();
        for (int i = 0; i < Integer.parseInt(args[1]); i++) {
            Socket socket = connect(url);
            ask(socket, url);
            held.add(socket);
        }
        System.out.println("held");
        System.in.readAllBytes();
        for (Socket socket : held) {
            socket.close();
        }
    }

    private static Socket connect(URI url) throws IOException, GeneralSecurityException {
        boolean secure = url.getScheme().equals("https");
        int port = url.getPort() > 0 ? url.getPort() : secure ? 443 : 80;
        Socket plain = new Socket(url.getHost(), port);
        return secure
                ? believing().getSocketFactory().createSocket(plain, url.getHost(), port, true)
                : plain;
    }

    private static void ask(Socket socket, URI url) throws IOException {
        String request =
                "GET " + url.getPath() + " HTTP/1.1\r\nHost: " + url.getHost() + "\r\n\r\n";
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        InputStream in = new BufferedInputStream(socket.getInputStream());
        int length = 0;
        String line = line(in);
        if (!line.contains(" 200 ")) {
            throw new IllegalStateException(url + ": " + line);
        }
        while (!line.isEmpty()) {
            if (line.regionMatches(true, 0, "Content-Length:", 0, 15)) {
                length = Integer.parseInt(line.substring(15).strip());
            }
            line = line(in);
        }
        if (in.readNBytes(length).length < length) {
            throw new IllegalStateException(url + ": the answer is cut off");
        }
    }

    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        int next;
        while ((next = in.read()) != '\n' && next >= 0) {
            line.append((char) next);
        }
        return line.toString().stripTrailing();
    }

    private static SSLContext believing() throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), new SecureRandom());
        return context;
    }
}
