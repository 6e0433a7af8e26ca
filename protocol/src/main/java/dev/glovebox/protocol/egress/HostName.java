package dev.glovebox.protocol.egress;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/// A DNS host name in canonical form: lower case, A-labels of letters, digits and hyphens (RFC 1123
/// and RFC 5890), no trailing dot, and a last label that is not a number, so that no resolver can
/// read it as an address.
///
/// @param text the canonical spelling, at most 253 characters
public record HostName(String text) implements Host {
    private static final int MAX_LENGTH = 253;
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern NUMBER = Pattern.compile("[0-9]+|0x[0-9a-f]*");

    public HostName {
        fault(text)
                .ifPresent(fault -> {
                    throw new PolicyException(
                            "host " + Quoted.of(text) + " is not a host name: " + fault);
                });
    }

    /// Reads a name in any case.
    ///
    /// @throws PolicyException naming what is wrong with the spelling
    public static HostName parse(String text) {
        return new HostName(lower(text));
    }

    /// Reads a name that somebody untrusted spelled; empty if it is not one.
    public static Optional<HostName> tryParse(String text) {
        String lower = lower(text);
        return fault(lower).isPresent() ? Optional.empty() : Optional.of(new HostName(lower));
    }

    /// Signs outside ASCII stay, to be refused: the small letter of the Kelvin sign is k.
    private static String lower(String text) {
        return text.chars().allMatch(c -> c < 0x80) ? text.toLowerCase(Locale.ROOT) : text;
    }

    private static Optional<String> fault(String text) {
        if (text.isEmpty()) {
            return Optional.of("it is empty");
        }
        if (text.length() > MAX_LENGTH) {
            return Optional.of("it is longer than 253 characters");
        }
        if (text.endsWith(".")) {
            return Optional.of("write it without the trailing dot");
        }
        if (!text.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            return Optional.of("write it in ASCII, an international name as its xn-- form");
        }
        String[] labels = text.split("\\.", -1);
        for (String label : labels) {
            if (!LABEL.matcher(label).matches()) {
                return Optional.of(
                        "label " + Quoted.of(label) + " is not letters, digits, hyphens");
            }
        }
        if (NUMBER.matcher(labels[labels.length - 1]).matches()) {
            return Optional.of(
                    "its last label is a number, which some programs read as an address");
        }
        return Optional.empty();
    }

    /// Number of labels.
    int labels() {
        return (int) text.chars().filter(c -> c == '.').count() + 1;
    }

    /// Whether this names the machine that asks (RFC 6761).
    public boolean isLocalhost() {
        return text.equals("localhost") || text.endsWith(".localhost");
    }

    @Override
    public String toString() {
        return text;
    }
}
