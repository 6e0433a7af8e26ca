package dev.glovebox.protocol.egress;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/// A block of addresses, `BASE/BITS` (RFC 4632), whose base has no bits set behind the prefix.
///
/// @param base first address of the block
/// @param bits length of the prefix
public record Cidr(HostAddress base, int bits) {
    public Cidr {
        int width = base.address().getAddress().length * 8;
        if (bits < 0 || bits > width) {
            throw new PolicyException(
                    "cidr " + base + "/" + bits + " has a prefix outside 0-" + width);
        }
        byte[] first = base.address().getAddress();
        if (!Arrays.equals(first, masked(first, bits))) {
            throw new PolicyException(
                    "cidr " + base + "/" + bits + " has bits set behind its prefix");
        }
    }

    /// Reads `BASE/BITS`.
    ///
    /// @throws PolicyException for any other form
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0 || !text.substring(slash + 1).matches("0|[1-9][0-9]{0,2}")) {
            throw new PolicyException("cidr " + Quoted.of(text) + " is not ADDRESS/BITS");
        }
        return new Cidr(
                HostAddress.parse(text.substring(0, slash)),
                Integer.parseInt(text, slash + 1, text.length(), 10));
    }

    /// Whether the address lies in the block. The families never mix.
    public boolean contains(InetAddress address) {
        byte[] theirs = address.getAddress();
        byte[] ours = base.address().getAddress();
        return theirs.length == ours.length && Arrays.equals(ours, masked(theirs, bits));
    }

    /// The IPv4 address of these four bytes.
    static InetAddress fourBytes(byte[] four) {
        try {
            return InetAddress.getByAddress(four);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not four bytes", e);
        }
    }

    private static byte[] masked(byte[] address, int bits) {
        byte[] kept = new byte[address.length];
        for (int i = 0; i < kept.length; i++) {
            int left = Math.clamp(bits - i * 8L, 0, 8);
            kept[i] = (byte) (address[i] & (0xff00 >> left));
        }
        return kept;
    }

    @Override
    public String toString() {
        return base + "/" + bits;
    }
}
