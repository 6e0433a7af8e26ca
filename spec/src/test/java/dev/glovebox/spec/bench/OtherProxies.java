package dev.glovebox.spec.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// mitmproxy and squid as Debian has them, between the same clients and the same server, doing what
/// a door does under a rule of protocol `https` with a credential: TLS ended with a certificate of
/// their own, the header replaced, TLS to the server verified by the same root.
///
/// What a door does besides and they do not: a record on disk before each request, a policy, and
/// the search of each answer for the secret.
final class OtherProxies implements AutoCloseable {
    static final String MITMPROXY = "mitmproxy";
    static final String SQUID = "squid";

    private static final int MITMPROXY_PORT = 8444;
    private static final int SQUID_PLAIN_PORT = 3128;
    private static final int SQUID_CLIENT = 65534;

    private static final String REDIRECT =
            """
            nft add table ip bench
            nft add chain ip bench out '{ type nat hook output priority -100; }'
            nft add rule ip bench out meta skuid 65534 tcp dport 443 redirect to :3129
            """;

    private static final String SQUID_AUTHORITY =
            """
            cd "$0"
            openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=bench-squid \
              -addext keyUsage=critical,keyCertSign
            cat ca.key ca.crt >ca.pem
            /usr/lib/squid/security_file_certgen -c -s certificates -M 4MB
            chown -R proxy .
            """;

    private static final String SQUID_CONFIG =
            """
            pid_filename none
            http_port 127.0.0.1:3128
            https_port 127.0.0.1:3129 intercept ssl-bump tls-cert=FOLDER/ca.pem generate-host-certificates=on dynamic_cert_mem_cache_size=4MB
            sslcrtd_program /usr/lib/squid/security_file_certgen -s FOLDER/certificates -M 4MB
            tls_outgoing_options cafile=ROOT
            hosts_file HOSTS
            acl first at_step SslBump1
            ssl_bump peek first
            ssl_bump bump all
            request_header_access Authorization deny all
            request_header_add Authorization "Bearer SECRET" all
            http_access allow all
            cache deny all
            cache_mem 0
            access_log none
            cache_log FOLDER/cache.log
            coredump_dir none
            shutdown_lifetime 1 seconds
            max_filedescriptors 8192
            """;

    private final EgressLab lab;
    private final Path mitmproxyFolder;
    private final Path squidFolder;
    private final Daemon mitmproxy;
    private final Daemon squid;

    private OtherProxies(EgressLab lab) throws IOException {
        this.lab = lab;
        this.mitmproxyFolder = Files.createDirectory(lab.folder().resolve("mitmproxy"));
        this.squidFolder = Files.createDirectory(lab.folder().resolve("squid"));
        this.mitmproxy = startMitmproxy();
        this.squid = startSquid();
    }

    static OtherProxies start(EgressLab lab) throws IOException {
        return new OtherProxies(lab);
    }

    /// Kibibytes.
    long mitmproxyMemory() {
        return mitmproxy.resident();
    }

    /// Kibibytes.
    long squidMemory() {
        return squid.resident();
    }

    /// Reverse mode: the client connects to it as to the server, so nothing is looked up.
    Lane mitmproxy(Lane.Kind kind) {
        return new Lane(
                MITMPROXY,
                kind,
                "https://" + EgressLab.NAME + ":" + MITMPROXY_PORT,
                EgressLab.GUARDED,
                mitmproxyFolder.resolve("mitmproxy-ca-cert.pem"),
                Lane.seeing(lab.hosts(), "/etc/hosts"),
                mitmproxy::worked);
    }

    /// Intercepting: connections of one user are redirected to it by nftables, as they leave.
    Lane squid() {
        return new Lane(
                SQUID,
                Lane.Kind.HTTPS,
                "https://" + EgressLab.NAME,
                EgressLab.GUARDED,
                squidFolder.resolve("ca.crt"),
                Stream.concat(
                                Lane.seeing(lab.hosts(), "/etc/hosts").stream(),
                                Stream.of("setpriv", "--reuid=" + SQUID_CLIENT, "--clear-groups"))
                        .toList(),
                squid::worked);
    }

    private Daemon startMitmproxy() throws IOException {
        List<String> command =
                List.of(
                        "mitmdump",
                        "--quiet",
                        "--mode",
                        "reverse:https://" + EgressLab.NAME + ":" + EgressLab.TLS_PORT,
                        "--listen-host",
                        EgressLab.ADDRESS,
                        "--listen-port",
                        Integer.toString(MITMPROXY_PORT),
                        "--set",
                        "confdir=" + mitmproxyFolder,
                        "--set",
                        "ssl_verify_upstream_trusted_ca=" + lab.root(),
                        "--set",
                        "stream_large_bodies=1m",
                        "--modify-headers",
                        "/~q/Authorization/Bearer " + EgressLab.SECRET);
        return Daemon.start(
                lab.folder().resolve("mitmproxy.log"),
                new InetSocketAddress(InetAddress.ofLiteral(EgressLab.ADDRESS), MITMPROXY_PORT),
                Stream.concat(Lane.seeing(lab.hosts(), "/etc/hosts").stream(), command.stream())
                        .toList());
    }

    private Daemon startSquid() throws IOException {
        EgressLab.shell(lab.folder(), "chmod 755 \"$0\"");
        EgressLab.shell(squidFolder, SQUID_AUTHORITY);
        String text =
                SQUID_CONFIG
                        .replace("FOLDER", squidFolder.toString())
                        .replace("ROOT", lab.root().toString())
                        .replace("HOSTS", lab.hosts().toString())
                        .replace("SECRET", EgressLab.SECRET);
        Path file = Files.writeString(squidFolder.resolve("squid.conf"), text);
        return Daemon.start(
                lab.folder().resolve("squid.log"),
                new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), SQUID_PLAIN_PORT),
                List.of("squid", "-N", "-f", file.toString()));
    }

    /// Sends squid's clients to it. Only while they run: the kernel follows every connection of the
    /// namespace meanwhile, which costs all of them.
    void redirect(boolean on) throws IOException {
        EgressLab.shell(lab.folder(), on ? REDIRECT : "nft delete table ip bench");
    }

    @Override
    public void close() {
        squid.close();
        mitmproxy.close();
    }
}
