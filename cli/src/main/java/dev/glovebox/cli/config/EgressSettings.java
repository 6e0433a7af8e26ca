package dev.glovebox.cli.config;

import dev.glovebox.egress.EgressConfig;
import dev.glovebox.egress.onward.OnwardConfig;
import dev.glovebox.egress.onward.UpstreamProxy;
import dev.glovebox.protocol.egress.Cidr;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.credential.Source;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The part `egress:` of a worker's file: how the worker reaches what policies allow.
///
/// ```yaml
/// egress:
///   contact: platform@example.com          # whom a refused program is told to ask
///   nameservers: [10.0.0.53, "10.0.0.54:5353", "[fd00::53]:53"]   # default: /etc/resolv.conf
///   authorities: roots.pem   # PEM; whom servers are verified by, instead of the host's
///   proxy:                   # default: none, everything is dialled straight
///     url: http://proxy.example.com:3128   # or https://, socks5://
///     user: glovebox
///     password:
///       file: /etc/glovebox/proxy-password # or env: VARIABLE
///     resolve: worker        # who looks names up; or proxy
///     direct: [.corp.example.com, 10.0.0.0/8]   # dialled past the proxy
/// ```
///
/// @param contact whom a refused program is told to ask, empty = the worker's operator
/// @param nameServers empty = the host's
/// @param authorities a PEM file, empty = the host's
/// @param proxy to dial through
public record EgressSettings(
        Optional<String> contact,
        List<InetSocketAddress> nameServers,
        Optional<Path> authorities,
        Optional<UpstreamProxy> proxy) {
    /// Straight, by the files of the host.
    public static final EgressSettings DEFAULT =
            new EgressSettings(Optional.empty(), List.of(), Optional.empty(), Optional.empty());

    /// The keys it reads.
    static final Set<String> KEYS =
            Set.of(
                    "egress.contact",
                    "egress.nameservers[]",
                    "egress.authorities",
                    "egress.proxy.url",
                    "egress.proxy.user",
                    "egress.proxy.password.file",
                    "egress.proxy.password.env",
                    "egress.proxy.resolve",
                    "egress.proxy.direct[]");

    private static final String URL = "egress.proxy.url";
    private static final String USER = "egress.proxy.user";
    private static final String FILE = "egress.proxy.password.file";
    private static final String VARIABLE = "egress.proxy.password.env";
    private static final String RESOLVE = "egress.proxy.resolve";
    private static final String DIRECT = "egress.proxy.direct";
    private static final int DNS_PORT = 53;

    private record Url(UpstreamProxy.Kind kind, Endpoint address) {}

    public EgressSettings {
        nameServers = List.copyOf(nameServers);
    }

    static EgressSettings read(Settings settings) {
        return new EgressSettings(
                settings.get("egress.contact", EgressConfig::checkContact),
                settings.each("egress.nameservers", EgressSettings::nameServer),
                settings.get("egress.authorities", text -> readable(settings.directory(), text)),
                proxy(settings));
    }

    /// The same doors with what the file says.
    public EgressConfig over(EgressConfig doors) {
        OnwardConfig onward =
                doors.onward().withLookups(doors.onward().lookups().withNameServers(nameServers));
        EgressConfig config = doors.withOnward(proxy.map(onward::withProxy).orElse(onward));
        config = contact.map(config::withContact).orElse(config);
        return authorities.map(config::withRoots).orElse(config);
    }

    /// Reads `ADDRESS` or `ADDRESS:PORT`; an IPv6 address before a port in brackets.
    private static InetSocketAddress nameServer(String text) {
        int colon = text.lastIndexOf(':');
        boolean port = colon > 0 && (text.startsWith("[") || text.indexOf(':') == colon);
        String host = port ? text.substring(0, colon) : text;
        try {
            int number = port ? Integer.parseInt(text.substring(colon + 1)) : DNS_PORT;
            if (number < 1) {
                throw new IllegalArgumentException("port " + number);
            }
            String bare = host.replaceFirst("^\\[(.*)\\]$", "$1");
            return new InetSocketAddress(InetAddress.ofLiteral(bare), number);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "'"
                            + text
                            + "' is not an address, or an address and a port such as"
                            + " 10.0.0.53:53",
                    e);
        }
    }

    private static Path readable(Path directory, String text) {
        Path file = directory.resolve(text);
        if (!Files.isReadable(file)) {
            throw new IllegalArgumentException("cannot read " + file);
        }
        return file;
    }

    private static Optional<UpstreamProxy> proxy(Settings settings) {
        Optional<Url> url = settings.get(URL, EgressSettings::url);
        Optional<UpstreamProxy.Login> login = login(settings);
        UpstreamProxy.Resolve resolve =
                settings.get(RESOLVE, EgressSettings::resolve).orElse(UpstreamProxy.Resolve.WORKER);
        List<HostPattern> direct = settings.each(DIRECT, EgressSettings::pattern);
        if (settings.get(URL, text -> text).isEmpty()) {
            for (String key : List.of(USER, FILE, VARIABLE, RESOLVE, DIRECT)) {
                settings.wrong(key, "means nothing without " + URL);
            }
        }
        return url.map(to -> new UpstreamProxy(to.kind(), to.address(), login, resolve, direct));
    }

    private static Optional<UpstreamProxy.Login> login(Settings settings) {
        Optional<Source> file =
                settings.get(
                        FILE,
                        text -> new Source.File(settings.directory().resolve(text).toString()));
        Optional<Source> variable = settings.get(VARIABLE, Source.Environment::new);
        boolean named = settings.get(USER, text -> text).isPresent();
        if (file.isPresent() && variable.isPresent()) {
            settings.wrong(VARIABLE, "either a file or a variable, not both");
        }
        Optional<Source> password = file.or(() -> variable);
        if (named && password.isEmpty()) {
            settings.wrong(USER, "needs " + FILE + " or " + VARIABLE);
        } else if (!named) {
            settings.wrong(file.isPresent() ? FILE : VARIABLE, "needs " + USER);
        }
        return password.flatMap(
                source -> settings.get(USER, user -> new UpstreamProxy.Login(user, source)));
    }

    private static Url url(String text) {
        int scheme = text.indexOf("://");
        String rest = text.substring(Math.max(0, scheme + 3)).replaceFirst("/$", "");
        UpstreamProxy.Kind kind =
                switch (text.substring(0, Math.max(0, scheme))) {
                    case "http" -> UpstreamProxy.Kind.HTTP;
                    case "https" -> UpstreamProxy.Kind.HTTPS;
                    case "socks5" -> UpstreamProxy.Kind.SOCKS5;
                    default ->
                            throw new IllegalArgumentException(
                                    "is not http://, https:// or socks5:// and HOST:PORT");
                };
        if (rest.contains("@")) {
            throw new IllegalArgumentException(
                    "holds a user or a password: they go to " + USER + " and " + FILE);
        }
        return new Url(kind, Endpoint.parse(rest));
    }

    private static UpstreamProxy.Resolve resolve(String text) {
        return switch (text) {
            case "worker" -> UpstreamProxy.Resolve.WORKER;
            case "proxy" -> UpstreamProxy.Resolve.PROXY;
            default ->
                    throw new IllegalArgumentException(
                            "'" + text + "' is not one of worker, proxy");
        };
    }

    private static HostPattern pattern(String text) {
        return text.contains("/")
                ? new HostPattern.Block(Cidr.parse(text))
                : HostPattern.parse(text);
    }
}
