package dev.glovebox.egress;

import dev.glovebox.egress.tls.TestAuthority;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Proxies of Debian's on a private address of the fake internet, each with a log of what it was
/// asked for. What they look up themselves they find in a file of their own.
final class RealProxies {
    static final String ADDRESS = Internet.INTRANET;
    static final int TINYPROXY = 3128;
    static final int HAPROXY = 3443;
    static final int MICROSOCKS = 1081;
    static final int DANTE = 1080;

    private static final String TINYPROXY_CONF =
            """
            Port 3128
            Listen 10.0.0.5
            LogFile "DIR/tinyproxy.log"
            LogLevel Connect
            MaxClients 50
            BasicAuth glovebox PASSWORD
            ConnectPort 80
            ConnectPort 81
            ConnectPort 443
            """;
    private static final String HAPROXY_CONF =
            """
            global
              nbthread 1
            defaults
              mode tcp
              timeout connect 10s
              timeout client 60s
              timeout server 60s
            frontend proxy
              bind 10.0.0.5:3443 ssl crt DIR/proxy.pem
              default_backend tinyproxy
            backend tinyproxy
              server one 10.0.0.5:3128
            frontend web
              bind 203.0.113.10:443 ssl crt DIR/web.pem
              default_backend web
            backend web
              server one 203.0.113.10:80
            """;
    private static final String DANTE_CONF =
            """
            logoutput: DIR/dante.log
            internal: 10.0.0.5 port = 1080
            external: 10.0.0.5
            clientmethod: none
            socksmethod: none
            user.privileged: root
            user.unprivileged: nobody
            client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
            socks block { from: 0.0.0.0/0 to: 203.0.113.66/32 log: connect }
            socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 log: connect }
            """;

    private final Internet internet;
    private final Path directory;
    private final Path hosts;

    RealProxies(Internet internet, Path directory) throws IOException {
        this.internet = internet;
        this.directory = directory;
        this.hosts = Files.writeString(directory.resolve("hosts-of-proxies"), "");
    }

    /// What the proxies find when they are given a name.
    void names(String lines) throws IOException {
        Files.writeString(hosts, lines);
    }

    Process tinyproxy(String password) throws Exception {
        Path conf = write("tinyproxy.conf", TINYPROXY_CONF.replace("PASSWORD", password));
        return start("tinyproxy", TINYPROXY, "tinyproxy", "-d", "-c", conf.toString());
    }

    /// TLS in front of tinyproxy, and in front of the web server of good.test.
    Process haproxy(TestAuthority.Identity proxy, TestAuthority.Identity web) throws Exception {
        pem("proxy.pem", proxy);
        pem("web.pem", web);
        Path conf = write("haproxy.conf", HAPROXY_CONF);
        return start("haproxy", HAPROXY, "haproxy", "-db", "-f", conf.toString());
    }

    Process microsocks(String user, String password) throws Exception {
        return start(
                "microsocks",
                MICROSOCKS,
                "microsocks",
                "-i",
                ADDRESS,
                "-p",
                "" + MICROSOCKS,
                "-u",
                user,
                "-P",
                password);
    }

    Process dante() throws Exception {
        Path conf = write("dante.conf", DANTE_CONF);
        return start("dante", DANTE, "danted", "-f", conf.toString());
    }

    /// What tinyproxy was asked to connect to.
    List<String> tinyproxyAsked() throws IOException {
        Path log = directory.resolve("tinyproxy.log");
        return Files.readString(log, StandardCharsets.ISO_8859_1)
                .lines()
                .filter(line -> line.contains("): CONNECT "))
                .map(line -> line.replaceFirst(".*: CONNECT (\\S+) .*", "$1"))
                .toList();
    }

    String log(String name) throws IOException {
        return Files.readString(directory.resolve(name), StandardCharsets.ISO_8859_1);
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(
                directory.resolve(name), text.replace("DIR", directory.toString()));
    }

    private void pem(String name, TestAuthority.Identity identity) throws Exception {
        StringBuilder text = new StringBuilder();
        for (X509Certificate each : identity.chain()) {
            text.append(block("CERTIFICATE", each.getEncoded()));
        }
        text.append(block("PRIVATE KEY", identity.keys().getPrivate().getEncoded()));
        Files.writeString(directory.resolve(name), text);
    }

    private static String block(String kind, byte[] bytes) {
        return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
                .formatted(
                        kind,
                        Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes),
                        kind);
    }

    private Process start(String name, int port, String... command) throws Exception {
        Path output = directory.resolve(name + ".out");
        String program = String.join(" ", command);
        Process process =
                internet.out()
                        .start(
                                output,
                                "unshare",
                                "--mount",
                                "sh",
                                "-c",
                                "mount --bind "
                                        + hosts
                                        + " /etc/hosts && PATH=$PATH:/usr/sbin:/sbin && exec "
                                        + program);
        internet.closedLater(() -> Programs.stop(process));
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (System.nanoTime() < end && process.isAlive()) {
            if (internet.out().enter(() -> listens(port))) {
                return process;
            }
            process.waitFor(50, TimeUnit.MILLISECONDS);
        }
        throw new AssertionError(name + ": " + Files.readString(output));
    }

    private static boolean listens(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.ofLiteral(ADDRESS), port), 2_000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
