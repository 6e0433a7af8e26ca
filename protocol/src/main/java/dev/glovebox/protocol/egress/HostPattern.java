package dev.glovebox.protocol.egress;

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

    /// Every name exactly one label below an apex, `*.apex`; not the apex itself.
    ///
    /// One label, because each further label is a channel for data towards whoever serves the zone.
    ///
    /// @param apex at least two labels: a pattern never covers a top-level domain
    record Subdomains(HostName apex) implements HostPattern {
        public Subdomains {
            if (apex.labels() < 2) {
                throw new PolicyException(
                        "host \"*." + apex + "\" covers a whole top-level domain, name one below");
            }
        }

        @Override
        public boolean matches(Host other) {
            return other instanceof HostName name
                    && name.labels() == apex.labels() + 1
                    && name.text().endsWith("." + apex.text());
        }

        @Override
        public String text() {
            return "*." + apex.text();
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

    /// Reads the `host` of a rule: a name, an address, or `*.` and a name.
    ///
    /// @throws PolicyException for any other form
    static HostPattern parse(String text) {
        if (text.startsWith("*.")) {
            return new Subdomains(HostName.parse(text.substring(2)));
        }
        if (text.contains("*")) {
            throw new PolicyException(
                    "host "
                            + Quoted.of(text)
                            + " is not a name, an address, or *.NAME; there is no pattern for every"
                            + " host");
        }
        return new Exact(Host.parse(text));
    }
}
