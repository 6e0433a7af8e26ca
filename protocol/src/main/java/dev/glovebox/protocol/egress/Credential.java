package dev.glovebox.protocol.egress;

import dev.glovebox.protocol.Secret;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// A secret that the door adds to requests, and where the worker finds it. The value itself is
/// never part of a policy.
///
/// @param name how rules refer to it
/// @param header name of the request header that carries it
/// @param format the header's value, with `{}` where the secret goes
/// @param source where the worker reads the secret
public record Credential(String name, String header, String format, Source source) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final Pattern TOKEN = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}");
    private static final Pattern VALUE = Pattern.compile("[!-~]([ -~]*[!-~])?");
    private static final String HOLE = "{}";

    /// Headers that frame the message or belong to one hop: a credential never takes their place.
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

    /// Where a secret is read from, at the opening of a door.
    public sealed interface Source {
        /// A file that holds the secret; one trailing line end is not part of it.
        ///
        /// @param path absolute
        record File(String path) implements Source {
            public File {
                if (!path.startsWith("/")) {
                    throw new PolicyException("file " + Quoted.of(path) + " is not absolute");
                }
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
    }

    public Credential {
        List<String> problems = new ArrayList<>();
        if (!NAME.matcher(name).matches()) {
            problems.add("name " + Quoted.of(name) + " is not 1-64 letters, digits, . _ -");
        }
        if (!TOKEN.matcher(header).matches()
                || RESERVED.contains(header.toLowerCase(Locale.ROOT))) {
            problems.add("header " + Quoted.of(header) + " cannot carry a credential");
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
    /// @throws PolicyException if the secret cannot stand in a header (RFC 9110 §5.5); the message
    ///   does not show it
    public Secret render(Secret secret) {
        String value = format.replace(HOLE, secret.reveal());
        if (!VALUE.matcher(value).matches()) {
            throw new PolicyException(
                    "credential \"" + name + "\" holds characters that no header may carry");
        }
        return new Secret(value);
    }
}
