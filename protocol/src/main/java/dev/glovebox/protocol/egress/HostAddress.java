package dev.glovebox.protocol.egress;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.regex.Pattern;

/// An IP address, canonical: an IPv4-mapped IPv6 address is the IPv4 address it means, and there is
/// no zone.
///
/// @param address the address
public record HostAddress(InetAddress address) implements Host {
    private static final String OCTET = "(0|[1-9][0-9]{0,2})";
    private static final Pattern IPV4 =
            Pattern.compile(OCTET + "\\." + OCTET + "\\." + OCTET + "\\." + OCTET);
    private static final Pattern IPV6 = Pattern.compile("[0-9a-fA-F:]*:[0-9a-fA-F:]*");
    private static final Pattern ADDRESS_LIKE =
            Pattern.compile(".*:.*|(.*\\.)?([0-9]+|0[xX][0-9a-fA-F]*)\\.?");

    public HostAddress {
        if (address instanceof Inet6Address six && six.getScopeId() != 0) {
            throw new PolicyException("address " + address + " has a zone, leave it out");
        }
    }

    /// Whether some program would read the text as an address, so that it must not pass as a name.
    static boolean looksLikeAddress(String text) {
        return ADDRESS_LIKE.matcher(text).matches();
    }

    /// Reads a literal: four decimal numbers without leading zeros, or an IPv6 address in hex
    /// groups.
    ///
    /// @throws PolicyException for any other form
    public static HostAddress parse(String text) {
        boolean four = IPV4.matcher(text).matches();
        if (!four && !IPV6.matcher(text).matches()) {
            throw unreadable(text);
        }
        try {
            return new HostAddress(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException e) {
            throw unreadable(text);
        }
    }

    private static PolicyException unreadable(String text) {
        return new PolicyException(
                "address "
                        + Quoted.of(text)
                        + " is not four decimal numbers 0-255 without leading zeros, nor an IPv6"
                        + " address in hex groups");
    }

    /// What kind of address this is.
    public AddressClass kind() {
        return AddressClass.of(address);
    }

    @Override
    public String text() {
        return address.getHostAddress();
    }

    @Override
    public String toString() {
        return text();
    }
}
