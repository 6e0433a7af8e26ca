package dev.glovebox.protocol.egress;

/// Where something is, in the one spelling that everything downstream uses: a name or an address.
///
/// Parsing is strict because every tolerant reading is a place where two programs can disagree: no
/// trailing dot, no octal or short address forms, no zone ids, no percent escapes, ASCII only.
public sealed interface Host permits HostName, HostAddress {

    /// Reads a name, an IPv4 literal, or an IPv6 literal with or without brackets.
    ///
    /// @throws PolicyException naming what is wrong with the spelling
    static Host parse(String text) {
        if (text.startsWith("[") && text.endsWith("]")) {
            return HostAddress.parse(text.substring(1, text.length() - 1));
        }
        return HostAddress.looksLikeAddress(text) ? HostAddress.parse(text) : HostName.parse(text);
    }

    /// The canonical spelling, as it stands in a URL's host without brackets.
    String text();
}
