package dev.glovebox.egress.dns;

import dev.glovebox.linux.net.CatchAll;
import dev.glovebox.protocol.egress.Cidr;
import dev.glovebox.protocol.egress.HostName;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// The addresses that names have inside one sandbox.
///
/// Inside, a name has no real address: it gets the next of `198.18.0.0/15` (set aside for
/// benchmarks, RFC 2544, so no real host has it) and of a unique local IPv6 block, and keeps both
/// for the life of the door. A connection to such an address means the name. What the name really
/// resolves to is looked up outside, when somebody connects.
public final class SyntheticNames {
    /// The name of the door itself, under which it is a proxy. No rule can give it to another.
    public static final HostName DOOR = new HostName("proxy.glovebox.internal");

    private static final Pair DOORS = new Pair(CatchAll.ADDRESS_4, CatchAll.ADDRESS_6);
    private static final Cidr BLOCK_4 = Cidr.parse("198.18.0.0/15");
    private static final Cidr BLOCK_6 = Cidr.parse("fd67:6c62::/32");

    /// Below it are the addresses of the door itself.
    private static final int FIRST = 256;

    private static final int LAST = (1 << 17) - 2;

    private final int capacity;
    private final Map<HostName, Integer> numbers = new HashMap<>();
    private final Map<InetAddress, HostName> names = new HashMap<>();

    /// @param capacity how many names get addresses
    public SyntheticNames(int capacity) {
        this.capacity = Math.min(capacity, LAST - FIRST);
    }

    /// The two addresses of a name.
    ///
    /// @param four IPv4
    /// @param six IPv6
    public record Pair(InetAddress four, InetAddress six) {}

    /// The addresses of the name, now or earlier given to it; empty if all are given away.
    public synchronized Optional<Pair> addressesOf(HostName name) {
        if (name.equals(DOOR)) {
            return Optional.of(DOORS);
        }
        Integer number = numbers.get(name);
        if (number == null) {
            if (numbers.size() >= capacity) {
                return Optional.empty();
            }
            number = FIRST + numbers.size();
            numbers.put(name, number);
            Pair pair = pair(number);
            names.put(pair.four(), name);
            names.put(pair.six(), name);
            return Optional.of(pair);
        }
        return Optional.of(pair(number));
    }

    /// The name that this address stands for.
    public synchronized Optional<HostName> nameOf(InetAddress address) {
        return Optional.ofNullable(names.get(address));
    }

    /// Whether the address is that of the door itself.
    public static boolean isDoor(InetAddress address) {
        return address.equals(DOORS.four()) || address.equals(DOORS.six());
    }

    /// Whether the address is of the kind that is given to names, so that it has no other meaning.
    public static boolean isSynthetic(InetAddress address) {
        return BLOCK_4.contains(address) || BLOCK_6.contains(address);
    }

    private static Pair pair(int number) {
        try {
            byte[] four = ByteBuffer.allocate(4).putInt((198 << 24 | 18 << 16) + number).array();
            byte[] six =
                    ByteBuffer.allocate(16).putInt(0xfd676c62).putLong(1).putInt(number).array();
            return new Pair(InetAddress.getByAddress(four), InetAddress.getByAddress(six));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four or sixteen bytes are an address", e);
        }
    }
}
