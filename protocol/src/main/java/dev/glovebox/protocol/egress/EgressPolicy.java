package dev.glovebox.protocol.egress;

import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.credential.CredentialUse;
import dev.glovebox.protocol.egress.file.PolicyReader;
import dev.glovebox.protocol.egress.request.RequestLine;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// What a sandbox may reach. Rules are asked in order, the first that speaks of a destination
/// decides, and what no rule speaks of is denied, unless the policy is one that learns.
///
/// @param rules in order, at most 1000, names unique
/// @param credentials that the rules refer to, names unique
/// @param fallback what becomes of what no rule speaks of
public record EgressPolicy(
        List<EgressRule> rules, List<Credential> credentials, Fallback fallback) {
    /// Nothing may be reached.
    public static final EgressPolicy DENY_ALL = new EgressPolicy(List.of(), List.of());

    private static final int MAX_RULES = 1000;
    private static final int DNS_PORT = 53;

    /// What becomes of what no rule speaks of.
    public enum Fallback {
        /// It is denied.
        DENY,
        /// It passes to public addresses and is marked in the audit record, so that a policy can be
        /// proposed from what was done.
        LEARN;

        /// The spelling in a policy file.
        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /// Denies what no rule speaks of.
    public EgressPolicy(List<EgressRule> rules, List<Credential> credentials) {
        this(rules, credentials, Fallback.DENY);
    }

    public EgressPolicy {
        rules = List.copyOf(rules);
        credentials = List.copyOf(credentials);
        List<String> problems = new ArrayList<>();
        if (rules.size() > MAX_RULES) {
            problems.add("rules are more than " + MAX_RULES);
        }
        unique(credentials.stream().map(Credential::name).toList(), "credential", problems);
        unique(rules.stream().map(EgressRule::name).toList(), "rule", problems);
        for (EgressRule rule : rules) {
            if (rule.isLearned()) {
                problems.add("a rule of the policy cannot be one that is not there");
            }
            if (rule.credential().isPresent()) {
                CredentialUse use = rule.credential().get();
                misuse(rule, use, find(credentials, use)).ifPresent(problems::add);
            }
        }
        if (!problems.isEmpty()) {
            throw new PolicyException(problems);
        }
    }

    private static void unique(List<String> names, String what, List<String> problems) {
        Set<String> seen = new HashSet<>();
        for (String name : names) {
            if (!seen.add(name)) {
                problems.add(what + " \"" + name + "\" is there twice");
            }
        }
    }

    private static Optional<Credential> find(List<Credential> credentials, CredentialUse use) {
        return credentials.stream().filter(each -> each.name().equals(use.name())).findFirst();
    }

    private static Optional<String> misuse(
            EgressRule rule, CredentialUse use, Optional<Credential> credential) {
        String subject =
                "rule \""
                        + rule.name()
                        + "\" names credential "
                        + Quoted.of(use.name())
                        + ", which ";
        if (credential.isEmpty()) {
            return Optional.of(subject + "is not there");
        }
        return credential.get().projection().fits(rule.protocol())
                ? Optional.empty()
                : Optional.of(subject + "cannot be added to protocol " + rule.protocol().text());
    }

    /// Reads a policy written in YAML or JSON.
    ///
    /// @throws PolicyException listing everything that is wrong, each with its place
    public static EgressPolicy parse(String text) {
        return PolicyReader.read(text);
    }

    /// What the policy says to a connection. Pure: no lookup, no clock.
    ///
    /// The first rule that speaks of the destination decides, and with it the protocol of the
    /// connection. A rule that denies some requests leaves the connection to a later rule; if that
    /// one passes requests unread, the connection is denied.
    public Decision decide(Destination destination) {
        List<EgressRule> speaking = rulesFor(destination);
        Optional<EgressRule> opening =
                speaking.stream().filter(rule -> !rule.deniesRequests()).findFirst();
        if (opening.isEmpty()) {
            return Decision.deny("no rule allows " + destination);
        }
        EgressRule rule = opening.get();
        boolean read = rule.action() == Decision.Verdict.DENY || rule.protocol().seesRequests();
        return speaking.stream()
                .takeWhile(EgressRule::deniesRequests)
                .filter(_ -> !read)
                .findFirst()
                .map(denying -> unread(denying, rule))
                .orElseGet(() -> Decision.by(rule));
    }

    private static Decision unread(EgressRule denying, EgressRule opening) {
        return Decision.deny(
                denying,
                "rule \""
                        + denying.name()
                        + "\" denies some requests, but rule \""
                        + opening.name()
                        + "\" would pass them unread");
    }

    /// The rules that have a say about a connection and the requests on it, in order: all that
    /// speak of the destination, up to the first that speaks of every request, and where the policy
    /// learns, what stands for the rule that is not there. While this list and the credentials of
    /// its rules stay the same, so does every decision about the connection.
    public List<EgressRule> rulesFor(Destination destination) {
        List<EgressRule> speaking = new ArrayList<>();
        for (EgressRule rule : rules) {
            if (rule.covers(destination)) {
                speaking.add(rule);
                if (rule.action() == Decision.Verdict.DENY && rule.requests().isEmpty()) {
                    return List.copyOf(speaking);
                }
            }
        }
        learned(destination, speaking).ifPresent(speaking::add);
        return List.copyOf(speaking);
    }

    /// What passes for want of a rule: the whole connection, or the requests that no rule speaks of
    /// where rules see some.
    private Optional<EgressRule> learned(Destination to, List<EgressRule> speaking) {
        if (fallback != Fallback.LEARN || !isLearnable(to)) {
            return Optional.empty();
        }
        Protocol spoken =
                speaking.stream()
                        .filter(rule -> !rule.deniesRequests())
                        .findFirst()
                        .or(() -> speaking.stream().findFirst())
                        .map(EgressRule::protocol)
                        .orElse(Protocol.likelyOn(to.port()));
        return speaking.isEmpty() || spoken.seesRequests()
                ? Optional.of(EgressRule.learned(to, spoken))
                : Optional.empty();
    }

    /// A name is judged again by where it leads; one of a single label could be any host of the
    /// worker's own network. Connections to name servers are answered by the door itself.
    private static boolean isLearnable(Destination to) {
        return switch (to.host()) {
            case HostName name -> name.labels() > 1 && !name.isLocalhost();
            case HostAddress address ->
                    address.kind() == AddressClass.PUBLIC && to.port() != DNS_PORT;
        };
    }

    /// What the policy says to one request on a connection that it allows. Pure.
    ///
    /// The first rule of the destination decides that speaks of the request and is of the
    /// connection's protocol. What no rule speaks of is denied.
    public Decision decide(Destination destination, RequestLine line) {
        Decision connection = decide(destination);
        if (!connection.allowed()) {
            return connection;
        }
        EgressRule opening = connection.rule().orElseThrow();
        return rulesFor(destination).stream()
                .filter(rule -> rule.speaksOf(line, opening.protocol()))
                .findFirst()
                .map(Decision::by)
                .orElseGet(() -> Decision.deny(opening, unspoken(destination, line)));
    }

    private static String unspoken(Destination destination, RequestLine line) {
        return "no rule allows "
                + (line.webSocket() ? "a web socket at " : Quoted.of(line.method()) + " of ")
                + Quoted.of(line.path().path())
                + " at "
                + destination;
    }

    /// Whether a name is worth an address: some port of it is allowed or could be approved.
    public boolean knows(HostName name) {
        if (fallback == Fallback.LEARN) {
            return someLearned(name);
        }
        return rules.stream()
                .filter(rule -> rule.action() != Decision.Verdict.DENY)
                .filter(rule -> rule.coversHost(name))
                .flatMap(rule -> rule.ports().stream())
                .anyMatch(range -> someAllowed(name, range));
    }

    private boolean someLearned(HostName name) {
        return mayPass(name, 1)
                || rules.stream()
                        .filter(rule -> rule.coversHost(name))
                        .flatMap(rule -> rule.ports().stream())
                        .flatMapToInt(range -> IntStream.of(range.first(), range.last() + 1))
                        .filter(port -> port <= PortRange.LAST)
                        .anyMatch(port -> mayPass(name, port));
    }

    /// Ports whose verdict can differ lie at the edges of the rules' ranges.
    private boolean someAllowed(HostName name, PortRange range) {
        return rules.stream()
                        .flatMap(rule -> rule.ports().stream())
                        .mapToInt(other -> other.last() + 1)
                        .filter(range::contains)
                        .anyMatch(port -> mayPass(name, port))
                || mayPass(name, range.first());
    }

    private boolean mayPass(HostName name, int port) {
        return decide(new Destination(name, port)).verdict() != Decision.Verdict.DENY;
    }

    /// The credential that a rule refers to.
    public Optional<Credential> credentialOf(EgressRule rule) {
        return rule.credential().flatMap(use -> find(credentials, use));
    }

    /// This policy with all of it that leads elsewhere than to these hosts taken away, and nothing
    /// learned any more. Never allows what this one does not.
    ///
    /// @throws PolicyException if that makes more rules than a policy may have
    public EgressPolicy within(List<HostPattern> hosts) {
        List<EgressRule> kept = new ArrayList<>();
        for (EgressRule rule : rules) {
            if (rule.action() == Decision.Verdict.DENY) {
                kept.add(rule);
                continue;
            }
            List<HostPattern> met =
                    hosts.stream()
                            .flatMap(host -> HostPattern.meet(rule.host(), host).stream())
                            .distinct()
                            .toList();
            for (int i = 0; i < met.size(); i++) {
                kept.add(rule.at(met.get(i), i));
            }
        }
        return new EgressPolicy(kept, credentials);
    }

    /// This policy as it is after the operator has approved destinations that a rule leaves to
    /// them: each is allowed by a rule of its own before the one that asks. A destination for which
    /// no rule asks changes nothing.
    ///
    /// @throws PolicyException if that makes more rules than a policy may have
    public EgressPolicy approving(Collection<Destination> approved) {
        List<EgressRule> with = new ArrayList<>(rules);
        int number = 0;
        for (Destination destination : approved) {
            Decision decision = decide(destination);
            if (decision.verdict() == Decision.Verdict.ASK) {
                EgressRule asking = decision.rule().orElseThrow();
                number++;
                with.add(with.indexOf(asking), asking.approved(destination, number));
            }
        }
        return new EgressPolicy(with, credentials);
    }

    /// What the policy says to a URL (`http`, `https`, `ws`, `wss`, `ssh`, `postgres`, `redis`, or
    /// `tcp://HOST:PORT`), for people.
    ///
    /// @param method of the request, where requests are seen
    public Explanation explain(String method, String url) {
        return Explanation.of(this, method, url);
    }

    /// What the policy says to a GET of a URL.
    public Explanation explain(String url) {
        return explain("GET", url);
    }
}
