package dev.glovebox.protocol.egress.credential;

import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Quoted;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// Where the worker finds a secret.
public sealed interface Source {
    /// A file that holds the secret; one trailing line end is not part of it.
    ///
    /// @param path absolute
    record File(String path) implements Source {
        public File {
            requireAbsolute("file", path);
        }
    }

    /// A variable of the worker's environment.
    ///
    /// @param name the variable
    record Environment(String name) implements Source {
        public Environment {
            if (!name.matches("[A-Za-z_][A-Za-z0-9_]*")) {
                throw new PolicyException("env " + Quoted.of(name) + " is not a variable name");
            }
        }
    }

    /// A program of the operator's, run by the worker, that prints the secret; one trailing line
    /// end is not part of it.
    ///
    /// @param argv the program, absolute, and its arguments; at most 64
    /// @param ttl how long the secret is used before the program is run again, 1 second to 1 day
    record Command(List<String> argv, Duration ttl) implements Source {
        private static final int MAX = 64;

        public Command {
            argv = List.copyOf(argv);
            if (argv.isEmpty() || argv.size() > MAX) {
                throw new PolicyException("command is not 1-" + MAX + " words");
            }
            requireAbsolute("command", argv.getFirst());
            if (ttl.compareTo(Duration.ofSeconds(1)) < 0 || ttl.compareTo(Duration.ofDays(1)) > 0) {
                throw new PolicyException("ttl is not within 1s-1d");
            }
        }
    }

    /// A field of a secret in HashiCorp Vault or OpenBao, key-value engine, version 1 or 2.
    ///
    /// @param url of the server
    /// @param path of the secret below `/v1/`, such as `secret/data/app`
    /// @param field of the secret
    /// @param login how the worker proves itself
    /// @param namespace of the server, where it has any
    record Vault(String url, String path, String field, Login login, Optional<String> namespace)
            implements Source {
        /// How the worker proves itself to the server.
        public sealed interface Login {}

        /// By a token that somebody else made.
        ///
        /// @param source where it is found
        public record Token(Source source) implements Login {
            public Token {
                requireSimple("token", source);
            }
        }

        /// By the method AppRole.
        ///
        /// @param mount where the method is mounted
        /// @param roleId names the role
        /// @param secretId where the secret of the role is found
        public record AppRole(String mount, String roleId, Source secretId) implements Login {
            public AppRole {
                if (!mount.matches("[A-Za-z0-9_-]{1,128}")) {
                    throw new PolicyException("mount " + Quoted.of(mount) + " is not one word");
                }
                requirePrintable("role-id", roleId);
                requireSimple("secret-id", secretId);
            }
        }

        public Vault {
            requireUrl(url);
            if (!path.matches("[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*") || path.contains("..")) {
                throw new PolicyException("path " + Quoted.of(path) + " is not a path of a secret");
            }
            requirePrintable("field", field);
            namespace.ifPresent(value -> requirePrintable("namespace", value));
        }
    }

    /// An access token by OAuth 2.0 (RFC 6749): client credentials, or a refresh token if there is
    /// one.
    ///
    /// @param tokenUrl the token endpoint
    /// @param clientId who asks
    /// @param clientSecret proves it
    /// @param refreshToken grants it; empty: the client itself is granted
    /// @param scopes asked for
    record OAuth2(
            String tokenUrl,
            String clientId,
            Source clientSecret,
            Optional<Source> refreshToken,
            List<String> scopes)
            implements Source {
        public OAuth2 {
            requireUrl(tokenUrl);
            requirePrintable("client-id", clientId);
            requireSimple("client-secret", clientSecret);
            refreshToken.ifPresent(source -> requireSimple("refresh-token", source));
            scopes = List.copyOf(scopes);
            scopes.forEach(scope -> requirePrintable("scope", scope));
        }
    }

    /// An installation token of a GitHub App.
    ///
    /// @param apiUrl such as `https://api.github.com`
    /// @param appId who asks
    /// @param installationId for which account
    /// @param privateKey of the app, PEM
    record GithubApp(String apiUrl, String appId, String installationId, Source privateKey)
            implements Source {
        public GithubApp {
            requireUrl(apiUrl);
            requirePrintable("app-id", appId);
            if (!installationId.matches("[1-9][0-9]{0,18}")) {
                throw new PolicyException(
                        "installation-id " + Quoted.of(installationId) + " is not a number");
            }
            requireSimple("private-key", privateKey);
        }
    }

    private static void requireAbsolute(String key, String path) {
        if (!path.startsWith("/")) {
            throw new PolicyException(key + " " + Quoted.of(path) + " is not absolute");
        }
    }

    private static void requirePrintable(String key, String text) {
        if (!text.matches("[!-~]{1,256}")) {
            throw new PolicyException(
                    key + " " + Quoted.of(text) + " is not 1-256 printable characters");
        }
    }

    private static void requireSimple(String key, Source source) {
        if (source instanceof Vault || source instanceof OAuth2 || source instanceof GithubApp) {
            throw new PolicyException(key + " must come from file, env or command");
        }
    }

    /// A URL that the worker itself asks: over TLS, or on this machine.
    private static void requireUrl(String url) {
        try {
            URI uri = new URI(url);
            String scheme = String.valueOf(uri.getScheme());
            boolean plain = scheme.equals("http") && isThisMachine(uri.getHost());
            if ((scheme.equals("https") || plain)
                    && uri.getHost() != null
                    && uri.getRawUserInfo() == null
                    && uri.getRawFragment() == null
                    && uri.getRawQuery() == null) {
                return;
            }
        } catch (URISyntaxException e) {
            throw new PolicyException("url " + Quoted.of(url) + " cannot be read");
        }
        throw new PolicyException(
                "url "
                        + Quoted.of(url)
                        + " is not https://HOST/PATH; http only to a loopback address");
    }

    private static boolean isThisMachine(String host) {
        return host != null
                && Host.parse(host) instanceof HostAddress address
                && address.address().isLoopbackAddress();
    }
}
