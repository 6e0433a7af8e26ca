package dev.glovebox.protocol.egress.learn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.AddressClass;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import dev.glovebox.protocol.egress.request.RequestLine;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class ProposalTest {
    private static final long SEED = 26;
    private static final List<String> LABELS =
            List.of("a", "b", "c", "d", "api", "cdn", "x-1", "1");
    private static final List<String> APEXES =
            List.of(
                    "good.test",
                    "deep.good.test",
                    "co.uk",
                    "github.io",
                    "example.com",
                    "yes",
                    "null");
    private static final List<String> ADDRESSES =
            List.of(
                    "203.0.113.1",
                    "203.0.113.2",
                    "203.0.113.3",
                    "203.0.113.4",
                    "198.51.100.9",
                    "2001:db8::1",
                    "2001:db8::2",
                    "10.0.0.5",
                    "192.168.0.1",
                    "127.0.0.1",
                    "169.254.169.254",
                    "fd00:ec2::254",
                    "100.64.0.1",
                    "198.18.0.3",
                    "224.0.0.9");
    private static final List<String> SEGMENTS =
            List.of(
                    "v1",
                    "v2",
                    "a",
                    "*",
                    "**",
                    "x%20y",
                    "%2A",
                    "a*b",
                    "",
                    "index.html",
                    "~u",
                    "q'x",
                    "%C3%A4");
    private static final List<String> METHODS =
            List.of("GET", "POST", "PUT", "get", "PATCH", "M-SEARCH");

    private final RandomGenerator random =
            RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);

    /// Whatever was learned is allowed by what is proposed, and nothing that is not public.
    @Test
    void everyThingObserved_isAllowed_andNothingOnPrivateAddresses() {
        int proposed = 0;
        for (int round = 0; round < 400; round++) {
            List<Observation> observations = observations(1 + random.nextInt(120));
            for (boolean merge : new boolean[] {true, false}) {
                Tally tally = new Tally();
                observations.forEach(tally::add);
                Proposal proposal = Proposal.of(tally, merge);
                EgressPolicy read = EgressPolicy.parse(proposal.text());
                assertThat(read.equals(proposal.policy())).as(proposal.text()).isTrue();
                assertThat(proposal.whole()).isTrue();
                for (Observation each : observations) {
                    assertThat(allowed(read, each))
                            .as("seed %d, round %d: %s in\n%s", SEED, round, each, proposal.text())
                            .isEqualTo(isPublic(each.to()));
                    proposed += isPublic(each.to()) ? 1 : 0;
                }
                assertNothingPrivate(read);
                if (!merge) {
                    assertThat(read.rules())
                            .allMatch(rule -> !rule.host().text().matches("[*.].*|.*/.*"));
                }
            }
        }
        assertThat(proposed).isGreaterThan(1000);
    }

    private static boolean allowed(EgressPolicy policy, Observation observation) {
        Decision decision = policy.decide(observation.to());
        if (!decision.allowed() || !(observation instanceof Observation.Request request)) {
            return decision.allowed();
        }
        return !decision.rule().orElseThrow().protocol().seesRequests()
                || policy.decide(
                                request.to(),
                                new RequestLine(request.method(), request.path(), false))
                        .allowed();
    }

    private static boolean isPublic(Destination to) {
        return !(to.host() instanceof HostAddress address) || address.kind() == AddressClass.PUBLIC;
    }

    private static void assertNothingPrivate(EgressPolicy policy) {
        for (String address : ADDRESSES) {
            Host host = Host.parse(address);
            if (!isPublic(new Destination(host, 1))) {
                for (int port : new int[] {22, 80, 443, 5432, 8080}) {
                    assertThat(policy.decide(new Destination(host, port)).allowed())
                            .as(address)
                            .isFalse();
                }
                assertThat(policy.rules()).noneMatch(rule -> rule.host().text().equals(address));
            }
        }
        assertThat(policy.rules()).allMatch(rule -> rule.connect().isEmpty());
    }

    @Test
    void theSameObservations_makeTheSameProposal() {
        List<Observation> observations = observations(200);
        Tally one = new Tally();
        observations.forEach(one::add);
        Tally other = new Tally();
        observations.reversed().forEach(other::add);
        assertThat(Proposal.of(one, true)).isEqualTo(Proposal.of(other, true));
    }

    @Test
    void aProposal_readsWell() {
        Tally tally = new Tally();
        connections(tally, "good.test", 443, Protocol.TLS, 12);
        for (String label : List.of("a", "b", "c", "d", "e")) {
            connections(tally, label + ".cdnhost.test", 443, Protocol.TLS, 1);
            connections(tally, label + ".github.io", 443, Protocol.TLS, 1);
        }
        connections(tally, "registry.npmjs.org", 443, Protocol.TLS, 3);
        connections(tally, "plain.test", 80, Protocol.HTTP, 1);
        request(tally, "plain.test", "GET", "/a");
        request(tally, "plain.test", "HEAD", "/a");
        request(tally, "plain.test", "POST", "/upload");
        connections(tally, "db.test", 5432, Protocol.TCP, 2);
        connections(tally, "203.0.113.7", 22, Protocol.TCP, 1);
        connections(tally, "10.0.0.5", 5432, Protocol.TCP, 4);
        tally.add(new Observation.Name(new Destination(Host.parse("asked.test"), 443)));
        tally.drop(
                new Destination(Host.parse("db.test"), 5432),
                "the name leads to no public address");

        assertThat(Proposal.of(tally, true).text())
                .isEqualTo(
                        """
                        # Proposed by `glovebox policy learn` from the audit records.
                        # It allows what was done, whether that was good or not: read every line.
                        # "preset: [npm]" could take the place of registry.npmjs.org: it lets fetch and nothing else, and sees each request.
                        rules:
                          # 1 connection
                          # an address, for which no name was asked: whoever has it next is reached too
                          - {name: "203.0.113.7-22", host: "203.0.113.7", protocol: tcp, port: 22, action: allow}
                          # 1 connection
                          - {name: a.github.io, host: a.github.io, action: allow}
                          # 1 question
                          # only the name was asked for: port and protocol are a guess
                          - {name: asked.test, host: asked.test, action: allow}
                          # 1 connection
                          - {name: b.github.io, host: b.github.io, action: allow}
                          # 1 connection
                          - {name: c.github.io, host: c.github.io, action: allow}
                          # 1 connection
                          - {name: d.github.io, host: d.github.io, action: allow}
                          # 1 connection
                          - {name: e.github.io, host: e.github.io, action: allow}
                          # 12 connections
                          - {name: good.test, host: good.test, action: allow}
                          # 1 connection, 3 requests
                          - {name: plain.test, host: plain.test, protocol: http, methods: [GET, HEAD], paths: [/a], action: allow}
                          - {name: plain.test.2, host: plain.test, protocol: http, methods: [POST], paths: [/upload], action: allow}
                          # 3 connections
                          - {name: registry.npmjs.org, host: registry.npmjs.org, action: allow}
                          # 5 connections to a.cdnhost.test, b.cdnhost.test, c.cdnhost.test, d.cdnhost.test, e.cdnhost.test
                          - {name: any.cdnhost.test, host: "*.cdnhost.test", action: allow}
                        # Not proposed:
                        #   10.0.0.5:5432 tcp, not a public address, 4 times
                        #   db.test:5432, the name leads to no public address, once
                        """);
    }

    /// A path that a sandbox chose does not become a pattern that means more than it (an agent
    /// could ask for `/**` and have everything proposed).
    @Test
    void aStarInAPath_isProposedAsTheSignAlone() {
        Tally tally = new Tally();
        connections(tally, "plain.test", 80, Protocol.HTTP, 1);
        request(tally, "plain.test", "GET", "/**");
        request(tally, "plain.test", "GET", "/v1/*");
        EgressPolicy policy = Proposal.of(tally, true).policy();
        Destination to = new Destination(Host.parse("plain.test"), 80);
        assertThat(policy.decide(to, line("GET", "/**")).allowed()).isTrue();
        assertThat(policy.decide(to, line("GET", "/v1/*")).allowed()).isTrue();
        assertThat(policy.decide(to, line("GET", "/v1/x")).allowed()).isFalse();
        assertThat(policy.decide(to, line("GET", "/secret")).allowed()).isFalse();
        assertThat(policy.decide(to, line("POST", "/v1/*")).allowed()).isFalse();
    }

    /// What a sandbox chose cannot get out of the comments it is in, and become a rule.
    @Test
    void whatIsLeftOut_staysAComment() {
        Tally tally = new Tally();
        tally.leave(
                "a.test:443, no rule allows \"GET\"\n  - {name: evil, host: evil.test, action: allow}");
        tally.leave(
                "b.test:443\r\u2028\u0085rules: [{name: evil, host: evil.test, action: allow}]");
        Proposal proposal = Proposal.of(tally, true);
        assertThat(proposal.text()).contains("#   a.test:443").contains("#   b.test:443");
        assertThat(EgressPolicy.parse(proposal.text())).isEqualTo(EgressPolicy.DENY_ALL);
    }

    /// A flood of names makes a proposal that is still a policy, of what was seen most often.
    @Test
    void moreThanAPolicyHolds_isCutToWhatWasSeenMost_andSaysSo() {
        Tally tally = new Tally();
        for (int i = 0; i < 3000; i++) {
            connections(tally, "n" + i + ".u" + i + ".test", 443, Protocol.TLS, 1);
        }
        connections(tally, "often.test", 443, Protocol.TLS, 2);
        Proposal proposal = Proposal.of(tally, true);
        assertThat(proposal.whole()).isFalse();
        assertThat(proposal.text()).contains("It is not whole");
        assertThat(EgressPolicy.parse(proposal.text())).isEqualTo(proposal.policy());
        assertThat(proposal.policy().rules().stream().map(EgressRule::name)).contains("often.test");
        assertThat(proposal.policy().rules().size()).isBetween(500, 1000);
    }

    @Test
    void nothingObserved_proposesAPolicyThatAllowsNothing() {
        Proposal proposal = Proposal.of(new Tally(), true);
        assertThat(EgressPolicy.parse(proposal.text())).isEqualTo(EgressPolicy.DENY_ALL);
    }

    private static void connections(
            Tally tally, String host, int port, Protocol protocol, int times) {
        for (int i = 0; i < times; i++) {
            tally.add(
                    new Observation.Connection(new Destination(Host.parse(host), port), protocol));
        }
    }

    private static void request(Tally tally, String host, String method, String path) {
        tally.add(
                new Observation.Request(
                        new Destination(Host.parse(host), 80),
                        Protocol.HTTP,
                        method,
                        CanonicalPath.of(path)));
    }

    private static RequestLine line(String method, String path) {
        return new RequestLine(method, CanonicalPath.of(path), false);
    }

    private List<Observation> observations(int count) {
        List<Observation> observations = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Destination to =
                    new Destination(Host.parse(host()), pick(List.of(22, 80, 443, 5432, 8080)));
            switch (random.nextInt(6)) {
                case 0 -> observations.add(new Observation.Name(to));
                case 1, 2 -> {
                    Protocol protocol = to.port() == 80 ? Protocol.HTTP : Protocol.HTTPS;
                    observations.add(new Observation.Request(to, protocol, pick(METHODS), path()));
                }
                case 3 ->
                        observations.add(
                                new Observation.Connection(to, pick(List.of(Protocol.values()))));
                default ->
                        observations.add(
                                new Observation.Connection(
                                        to,
                                        to.port() == 443
                                                ? Protocol.TLS
                                                : to.port() == 80 ? Protocol.HTTP : Protocol.TCP));
            }
        }
        return observations;
    }

    private String host() {
        if (random.nextInt(3) == 0) {
            return pick(ADDRESSES);
        }
        return random.nextInt(5) == 0 ? pick(APEXES) : pick(LABELS) + "." + pick(APEXES);
    }

    private CanonicalPath path() {
        if (random.nextInt(20) == 0) {
            return CanonicalPath.of("*");
        }
        StringBuilder path = new StringBuilder();
        int depth = random.nextInt(4);
        for (int i = 0; i < depth; i++) {
            String segment = pick(SEGMENTS);
            path.append('/').append(segment.isEmpty() ? "e" : segment);
        }
        return CanonicalPath.of(
                random.nextInt(3) == 0 || path.isEmpty() ? path + "/" : path.toString());
    }

    private <T> T pick(List<T> of) {
        return of.get(random.nextInt(of.size()));
    }
}
