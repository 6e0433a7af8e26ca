package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostName;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.PortRange;
import dev.glovebox.protocol.egress.Target;
import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.credential.CredentialUse;
import dev.glovebox.protocol.egress.credential.Projection;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// What is allowed in a policy and still likely a mistake.
public final class PolicyLint {
    private static final Set<String> MULTI_TENANT =
            Presets.resource("multi-tenant.txt")
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .collect(Collectors.toUnmodifiableSet());
    private static final int MANY = 1 << 16;
    private static final int MANY_PORTS = 1024;

    private PolicyLint() {}

    /// One line for each thing that looks wrong, in the order of the rules.
    public static List<String> warnings(EgressPolicy policy) {
        List<String> warnings = new ArrayList<>();
        if (policy.fallback() == EgressPolicy.Fallback.LEARN) {
            warnings.add(
                    "default: learn lets through, to every public address, whatever no rule speaks"
                            + " of: for a time, with work that may be seen by anybody");
        }
        for (int i = 0; i < policy.rules().size(); i++) {
            EgressRule rule = policy.rules().get(i);
            about(rule).forEach(fault -> warnings.add("rule \"" + rule.name() + "\": " + fault));
            policy.rules().subList(0, i).stream()
                    .filter(earlier -> shadows(earlier, rule))
                    .findFirst()
                    .ifPresent(earlier ->
                            warnings.add(
                                    "rule \""
                                            + rule.name()
                                            + "\": is never asked, rule \""
                                            + earlier.name()
                                            + "\" decides before it"));
        }
        for (Credential credential : policy.credentials()) {
            about(policy, credential)
                    .forEach(fault ->
                            warnings.add("credential \"" + credential.name() + "\": " + fault));
        }
        return warnings;
    }

    private static List<String> about(EgressRule rule) {
        List<String> faults = new ArrayList<>();
        if (rule.action() == Decision.Verdict.DENY) {
            return faults;
        }
        switch (rule.host()) {
            case HostPattern.Subdomains(HostName apex, boolean _) when isShared(apex) ->
                    faults.add(
                            "anybody can have a name below "
                                    + apex
                                    + ", name the hosts that are meant");
            case HostPattern.Exact(HostName name)
                    when MULTI_TENANT.contains(name.text()) && pathsAreOpen(rule) ->
                    faults.add(
                            "everybody's data is on "
                                    + name
                                    + ", use protocol https and name the paths that are meant");
            case HostPattern.Block block when isLarge(block) ->
                    faults.add("the block " + block.text() + " holds more than 65,536 addresses");
            default -> {}
        }
        if (rule.ports().stream().mapToInt(PortRange::size).sum() > MANY_PORTS) {
            faults.add("it opens more than 1,024 ports, name those that are meant");
        }
        if (rule.credential().filter(CredentialUse::insecure).isPresent()) {
            faults.add("its credential travels in the clear (insecure-credential)");
        }
        if (rule.credential().isPresent() && rule.protocol().seesRequests() && pathsAreOpen(rule)) {
            faults.add("its credential goes to every path, name those that are meant");
        }
        return faults;
    }

    /// Whether anybody can have a name below this one.
    public static boolean isShared(HostName apex) {
        return MULTI_TENANT.stream()
                .anyMatch(
                        suffix -> apex.text().equals(suffix) || apex.text().endsWith("." + suffix));
    }

    private static boolean pathsAreOpen(EgressRule rule) {
        return rule.requests().map(terms -> terms.paths().isEmpty()).orElse(true);
    }

    private static boolean isLarge(HostPattern.Block block) {
        int width = block.cidr().base().address().getAddress().length * 8;
        return width - block.cidr().bits() > Integer.numberOfTrailingZeros(MANY);
    }

    private static List<String> about(EgressPolicy policy, Credential credential) {
        List<String> faults = new ArrayList<>();
        boolean used =
                policy.rules().stream()
                        .flatMap(rule -> rule.credential().stream())
                        .anyMatch(use -> use.name().equals(credential.name()));
        if (!used) {
            faults.add("no rule uses it");
        }
        if (credential.projection() instanceof Projection.Query) {
            faults.add("servers write queries into their logs, use a header if there is one");
        }
        return faults;
    }

    /// Whether every connection, and every request on it, that the later rule speaks of is decided
    /// by the earlier.
    private static boolean shadows(EgressRule earlier, EgressRule later) {
        boolean requests =
                earlier.requests().isEmpty()
                        ? earlier.action() == Decision.Verdict.DENY
                                || later.requests().filter(terms -> terms.webSocket()).isEmpty()
                        : earlier.requests().equals(later.requests());
        return requests && covers(earlier.target(), later.target()) && !isNarrowed(earlier);
    }

    /// A block that allows leaves private addresses to later rules.
    private static boolean isNarrowed(EgressRule earlier) {
        return earlier.host() instanceof HostPattern.Block
                && earlier.action() != Decision.Verdict.DENY;
    }

    private static boolean covers(Target earlier, Target later) {
        return covers(earlier.host(), later.host())
                && later.ports().stream().allMatch(range -> covers(earlier.ports(), range));
    }

    private static boolean covers(List<PortRange> ports, PortRange range) {
        return ports.stream()
                .anyMatch(other -> other.first() <= range.first() && range.last() <= other.last());
    }

    private static boolean covers(HostPattern earlier, HostPattern later) {
        return switch (later) {
            case HostPattern.Exact(Host host) -> earlier.matches(host);
            case HostPattern.Subdomains(HostName apex, boolean withApex) ->
                    earlier instanceof HostPattern.Subdomains(HostName other, boolean otherWithApex)
                            && apex.equals(other)
                            && (otherWithApex || !withApex);
            case HostPattern.Block(var cidr) ->
                    earlier instanceof HostPattern.Block(var other)
                            && other.bits() <= cidr.bits()
                            && other.contains(cidr.base().address());
        };
    }
}
