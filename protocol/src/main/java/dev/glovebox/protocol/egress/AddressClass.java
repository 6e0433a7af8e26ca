package dev.glovebox.protocol.egress;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;

/// What an address is for, as far as letting a sandbox near it goes. Everything but [#PUBLIC] is
/// dialled only if the operator named it exactly.
///
/// Taken from the IANA special-purpose registries (RFC 6890) and the metadata services of the large
/// clouds. An IPv6 address that carries an IPv4 address (translation, 6to4, Teredo, ISATAP) is
/// judged by what it carries if that is worse. The documentation blocks count as public.
public enum AddressClass {
    /// A machine's credentials live here.
    METADATA(
            "169.254.169.254/32",
            "169.254.170.2/32",
            "100.100.100.200/32",
            "168.63.129.16/32",
            "192.0.0.192/32",
            "fd00:ec2::/32",
            "fd20:ce::254/128",
            "fd00:c1::a9fe:a9fe/128",
            "fd00:42::42/128"),
    /// This host, whichever way it is spelled.
    LOOPBACK("127.0.0.0/8", "::1/128"),
    /// "This network", no destination.
    UNSPECIFIED("0.0.0.0/8", "::/128"),
    /// Neighbours on a wire.
    LINK_LOCAL("169.254.0.0/16", "fe80::/10"),
    /// The synthetic addresses this product hands out.
    SYNTHETIC("198.18.0.0/15", "fd67:6c62::/32"),
    /// RFC 1918 and unique local.
    PRIVATE("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    /// Carrier-grade NAT.
    SHARED("100.64.0.0/10"),
    /// One-to-many.
    MULTICAST("224.0.0.0/4", "ff00::/8"),
    /// Set aside by IANA.
    RESERVED("192.0.0.0/24", "240.0.0.0/4", "100::/64", "64:ff9b:1::/48"),
    /// The internet.
    PUBLIC;

    private static final Cidr NAT64 = Cidr.parse("64:ff9b::/96");
    private static final Cidr COMPATIBLE = Cidr.parse("::/96");
    private static final Cidr TRANSLATED = Cidr.parse("::ffff:0:0:0/96");
    private static final Cidr SIX_TO_FOUR = Cidr.parse("2002::/16");
    private static final Cidr TEREDO = Cidr.parse("2001::/32");

    @SuppressWarnings("ImmutableEnumChecker") // an unmodifiable list of records
    private final List<Cidr> blocks;

    AddressClass(String... blocks) {
        this.blocks = Arrays.stream(blocks).map(Cidr::parse).toList();
    }

    /// The class of the address; where several fit, the first in the order of this enum.
    public static AddressClass of(InetAddress address) {
        AddressClass own = direct(address);
        byte[] bytes = address.getAddress();
        if (own != PUBLIC || bytes.length == 4) {
            return own;
        }
        if (NAT64.contains(address)
                || COMPATIBLE.contains(address)
                || TRANSLATED.contains(address)
                || isIsatap(bytes)) {
            return embedded(bytes, 12, 0);
        }
        if (SIX_TO_FOUR.contains(address)) {
            return embedded(bytes, 2, 0);
        }
        return TEREDO.contains(address) ? embedded(bytes, 12, 0xff) : PUBLIC;
    }

    private static AddressClass direct(InetAddress address) {
        for (AddressClass each : values()) {
            if (each.blocks.stream().anyMatch(block -> block.contains(address))) {
                return each;
            }
        }
        return PUBLIC;
    }

    /// RFC 5214: the interface identifier is `[02]00:5efe` and the IPv4 address.
    private static boolean isIsatap(byte[] bytes) {
        return (bytes[8] & 0xfd) == 0
                && bytes[9] == 0
                && bytes[10] == 0x5e
                && bytes[11] == (byte) 0xfe;
    }

    private static AddressClass embedded(byte[] bytes, int at, int flipped) {
        byte[] four = Arrays.copyOfRange(bytes, at, at + 4);
        for (int i = 0; i < four.length; i++) {
            four[i] ^= (byte) flipped;
        }
        return direct(Cidr.fourBytes(four));
    }
}
