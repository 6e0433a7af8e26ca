package dev.glovebox.protocol.egress;

import java.util.ArrayList;
import java.util.List;

/// Which hosts a rule speaks of.
public sealed interface HostPattern {

    /// Whether the host is meant.
    boolean matches(Host host);

    /// The spelling in a policy file.
    String text();

    /// One host: a name or an address.
    ///
    /// @param host the host, canonical
    record Exact(Host host) implements HostPattern {
        @Override
        public boolean matches(Host other) {
            return host.equals(other);
        }

        @Override
        public String text() {
            return host.text();
        }
    }

    /// Every name exactly one label below an apex: `*.apex` without the apex itself, `.apex` with
    /// it.
    ///
    /// One label, because each further label is a channel for data towards whoever serves the zone.
    ///
    /// @param apex at least two labels: a pattern never covers a top-level domain
    /// @param withApex whether the apex is meant too
    record Subdomains(HostName apex, boolean withApex) implements HostPattern {
        public Subdomains {
            if (apex.labels() < 2) {
                throw new PolicyException(
                        "host \""
                                + (withApex ? "." : "*.")
                                + apex
                                + "\" covers a whole top-level domain, name one below");
            }
        }

        @Override
        public boolean matches(Host other) {
            return other instanceof HostName name
                    && (isBelow(name) || (withApex && name.equals(apex)));
        }

        private boolean isBelow(HostName name) {
            return name.labels() == apex.labels() + 1 && name.text().endsWith("." + apex.text());
        }

        @Override
        public String text() {
            return (withApex ? "." : "*.") + apex.text();
        }
    }

    /// Every address of a block.
    ///
    /// @param cidr the block
    record Block(Cidr cidr) implements HostPattern {
        @Override
        public boolean matches(Host other) {
            return other instanceof HostAddress address && cidr.contains(address.address());
        }

        @Override
        public String text() {
            return cidr.toString();
        }
    }

    /// The hosts that both patterns mean, as patterns. A block meets only public addresses: to name
    /// a private one exactly would allow what the block does not.
    static List<HostPattern> meet(HostPattern one, HostPattern other) {
        if (one.equals(other)) {
            return List.of(one);
        }
        if (other instanceof Exact && !(one instanceof Exact)) {
            return meet(other, one);
        }
        if (one instanceof Exact exact) {
            boolean both =
                    other.matches(exact.host())
                            && (!(other instanceof Block)
                                    || (exact.host() instanceof HostAddress address
                                            && address.kind() == AddressClass.PUBLIC));
            return both ? List.of(one) : List.of();
        }
        if (!(one instanceof Subdomains first) || !(other instanceof Subdomains second)) {
            return List.of();
        }
        if (first.apex().equals(second.apex())) {
            return List.of(new Subdomains(first.apex(), first.withApex() && second.withApex()));
        }
        List<HostPattern> apexes = new ArrayList<>();
        if (first.withApex() && second.matches(first.apex())) {
            apexes.add(new Exact(first.apex()));
        }
        if (second.withApex() && first.matches(second.apex())) {
            apexes.add(new Exact(second.apex()));
        }
        return List.copyOf(apexes);
    }

    /// Reads the `host` of a rule: a name, an address, `*.` and a name, or `.` and a name.
    ///
    /// @throws PolicyException for any other form
    static HostPattern parse(String text) {
        if (text.startsWith("*.")) {
            return new Subdomains(HostName.parse(text.substring(2)), false);
        }
        if (text.startsWith(".")) {
            return new Subdomains(HostName.parse(text.substring(1)), true);
        }
        if (text.contains("*")) {
            throw new PolicyException(
                    "host "
                            + Quoted.of(text)
                            + " is not a name, an address, *.NAME or .NAME; there is no pattern for every"
                            + " host");
        }
        return new Exact(Host.parse(text));
    }
}
