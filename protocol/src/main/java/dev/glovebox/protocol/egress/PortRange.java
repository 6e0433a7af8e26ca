package dev.glovebox.protocol.egress;

/// One port or a run of ports.
///
/// @param first lowest, 1-65535
/// @param last highest, not below the first
public record PortRange(int first, int last) {
    public PortRange {
        if (first < 1 || last > 65535 || first > last) {
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

    boolean contains(int port) {
        return first <= port && port <= last;
    }
}
