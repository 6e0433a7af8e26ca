package dev.glovebox.protocol.egress.credential;

import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.Quoted;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// How a secret becomes part of what is sent.
public sealed interface Projection {
    /// The protocols whose messages it can be added to.
    Set<Protocol> protocols();

    /// Whether it can be added on a connection of this protocol.
    default boolean fits(Protocol protocol) {
        return protocols().contains(protocol);
    }

    /// A projection onto HTTP requests.
    sealed interface OnRequests extends Projection {
        @Override
        default Set<Protocol> protocols() {
            return Set.of(Protocol.HTTP, Protocol.HTTPS);
        }
    }

    /// A request header.
    ///
    /// @param name of the header
    /// @param format the header's value, with `{}` where the secret goes
    record Header(String name, String format) implements OnRequests {
        private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}");
        private static final Pattern VALUE = Pattern.compile("[!-~]([ -~]*[!-~])?");
        private static final String HOLE = "{}";

        /// Headers that frame the message or belong to one hop: a credential never takes their
        /// place.
        private static final Set<String> RESERVED =
                Set.of(
                        "host",
                        "connection",
                        "content-length",
                        "transfer-encoding",
                        "te",
                        "trailer",
                        "upgrade",
                        "keep-alive",
                        "proxy-connection",
                        "expect");

        public Header {
            List<String> problems = new ArrayList<>();
            if (!TOKEN.matcher(name).matches()
                    || RESERVED.contains(name.toLowerCase(Locale.ROOT))) {
                problems.add("header " + Quoted.of(name) + " cannot carry a credential");
            }
            if (format.indexOf(HOLE) < 0 || format.indexOf(HOLE) != format.lastIndexOf(HOLE)) {
                problems.add("format " + Quoted.of(format) + " does not have exactly one {}");
            } else if (!VALUE.matcher(format).matches()) {
                problems.add("format " + Quoted.of(format) + " is not printable ASCII");
            }
            if (!problems.isEmpty()) {
                throw new PolicyException(problems);
            }
        }

        /// The header's value with the secret in it.
        ///
        /// @throws PolicyException if the secret cannot stand in a header (RFC 9110 §5.5); the
        ///   message does not show it
        public Secret render(Secret secret) {
            String value = format.replace(HOLE, secret.reveal());
            if (!VALUE.matcher(value).matches()) {
                throw new PolicyException("the secret holds characters that no header may carry");
            }
            return new Secret(value);
        }
    }

    /// HTTP basic authentication (RFC 7617), the secret being the password.
    ///
    /// @param user without a colon
    record Basic(String user) implements OnRequests {
        public Basic {
            requireUser(user);
            if (user.contains(":")) {
                throw new PolicyException("user " + Quoted.of(user) + " has a colon");
            }
        }
    }

    /// A parameter of the query. Servers write queries into their logs: a header is better where
    /// there is a choice.
    ///
    /// @param parameter its name
    record Query(String parameter) implements OnRequests {
        public Query {
            if (!parameter.matches("[A-Za-z0-9._~-]{1,128}")) {
                throw new PolicyException(
                        "parameter " + Quoted.of(parameter) + " is not letters, digits, . _ ~ -");
            }
        }
    }

    /// The secret takes the place of a text that the sandbox holds and sends.
    ///
    /// @param placeholder what the sandbox holds instead, 16-256 letters, digits, `_`, `-`
    /// @param bodies whether it is replaced in bodies too, not only in headers
    record Placeholder(String placeholder, boolean bodies) implements OnRequests {
        public Placeholder {
            if (!placeholder.matches("[A-Za-z0-9_-]{16,256}")) {
                throw new PolicyException(
                        "placeholder "
                                + Quoted.of(placeholder)
                                + " is not 16-256 letters, digits, _ -");
            }
        }
    }

    /// A certificate that the door shows to the server, the secret being its PEM chain.
    ///
    /// @param key where its private key is found, PEM
    record ClientCertificate(Source key) implements Projection {
        @Override
        public Set<Protocol> protocols() {
            return Set.of(Protocol.HTTPS);
        }
    }

    /// A signature of AWS, version 4, the secret being the secret access key. What the sandbox
    /// signed is signed anew.
    ///
    /// @param accessKeyId names the key
    /// @param sessionToken goes with temporary keys
    /// @param region the only one that is signed for
    /// @param service the only one that is signed for
    record AwsSigV4(
            String accessKeyId, Optional<Source> sessionToken, String region, String service)
            implements OnRequests {
        public AwsSigV4 {
            requireWord("access-key-id", accessKeyId);
            requireWord("region", region);
            requireWord("service", service);
        }
    }

    /// A login over SSH, the secret being the private key.
    ///
    /// @param user to log in as
    /// @param knownHosts file of the keys that servers must have (sshd(8)), absolute
    record SshKey(String user, String knownHosts) implements Projection {
        public SshKey {
            requireUser(user);
            if (!knownHosts.startsWith("/")) {
                throw new PolicyException(
                        "known-hosts " + Quoted.of(knownHosts) + " is not absolute");
            }
        }

        @Override
        public Set<Protocol> protocols() {
            return Set.of(Protocol.SSH);
        }
    }

    /// A login to PostgreSQL, the secret being the password.
    ///
    /// @param user to log in as
    record PostgresPassword(String user) implements Projection {
        public PostgresPassword {
            requireUser(user);
        }

        @Override
        public Set<Protocol> protocols() {
            return Set.of(Protocol.POSTGRES);
        }
    }

    /// A login to Redis, the secret being the password.
    ///
    /// @param user to log in as; empty: the default one
    record RedisAuth(Optional<String> user) implements Projection {
        public RedisAuth {
            user.ifPresent(Projection::requireUser);
        }

        @Override
        public Set<Protocol> protocols() {
            return Set.of(Protocol.REDIS);
        }
    }

    private static void requireUser(String user) {
        if (!user.matches("[!-~]{1,128}")) {
            throw new PolicyException(
                    "user " + Quoted.of(user) + " is not 1-128 printable characters");
        }
    }

    private static void requireWord(String key, String word) {
        if (!word.matches("[A-Za-z0-9-]{1,128}")) {
            throw new PolicyException(key + " " + Quoted.of(word) + " is not letters, digits, -");
        }
    }
}
