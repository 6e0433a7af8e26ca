package dev.glovebox.protocol.egress;

/// One port or a run of ports.
///
/// @param first lowest, 1-65535
/// @param last highest, not below the first
public record PortRange(int first, int last) {
    static final int LAST = 65535;

    public PortRange {
        if (first < 1 || last > LAST || first > last) {
            throw new PolicyException(
                    "port "
                            + (first == last ? "" + first : first + "-" + last)
                            + " is not within 1-65535");
        }
    }

    /// Reads `443` or `8000-8010`.
    ///
    /// @throws PolicyException for any other form
    public static PortRange parse(String text) {
        if (!text.matches("[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?")) {
            throw new PolicyException("port " + Quoted.of(text) + " is not PORT or FIRST-LAST");
        }
        String[] ends = text.split("-", -1);
        return new PortRange(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]));
    }

    /// How many.
    public int size() {
        return last - first + 1;
    }

    /// The spelling in a policy file.
    public String text() {
        return first == last ? Integer.toString(first) : first + "-" + last;
    }

    boolean contains(int port) {
        return first <= port && port <= last;
    }
}
