package dev.glovebox.protocol.egress;

import dev.glovebox.protocol.egress.Decision.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// Reads a policy file and goes on after each fault, so that its writer sees all of them at once.
final class PolicyReader {
    private static final int MAX_CHARACTERS = 256 * 1024;

    private static final YAMLMapper YAML =
            YAMLMapper.builder(
                            YAMLFactory.builder()
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private final List<String> problems = new ArrayList<>();

    EgressPolicy read(String text) {
        Section top = new Section(tree(text), "", problems);
        List<EgressRule> rules = each(top.list("rules"), "rules", this::rule);
        List<Credential> credentials =
                each(top.list("credentials"), "credentials", this::credential);
        top.rejectUnknown();
        Optional<EgressPolicy> policy = Optional.empty();
        if (problems.isEmpty()) {
            policy = top.build(() -> new EgressPolicy(rules, credentials));
        }
        return policy.orElseThrow(() -> new PolicyException(problems));
    }

    private static JsonNode tree(String text) {
        if (text.length() > MAX_CHARACTERS) {
            throw new PolicyException(
                    "the policy is longer than " + MAX_CHARACTERS + " characters");
        }
        JsonNode tree;
        try {
            tree = YAML.readTree(text);
        } catch (JacksonException e) {
            throw new PolicyException(
                    "the policy is not YAML or JSON, line "
                            + e.getLocation().getLineNr()
                            + ": "
                            + String.valueOf(e.getOriginalMessage())
                                    .lines()
                                    .findFirst()
                                    .orElse(""));
        }
        if (!tree.isObject()) {
            throw new PolicyException(
                    "the policy is not an object with rules; write \"rules: []\" to deny everything");
        }
        return tree;
    }

    private interface Part<T> {
        Optional<T> read(Section section);
    }

    private <T> List<T> each(List<JsonNode> nodes, String place, Part<T> part) {
        List<T> parts = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            Section section = new Section(nodes.get(i), place + "[" + i + "]", problems);
            part.read(section).ifPresent(parts::add);
            section.rejectUnknown();
        }
        return parts;
    }

    private Optional<EgressRule> rule(Section section) {
        int before = problems.size();
        String name = section.required("name");
        Optional<HostPattern> host = host(section);
        Protocol protocol = section.choice("protocol", Protocol.class).orElse(Protocol.TLS);
        List<PortRange> ports = ports(section, protocol);
        Optional<Verdict> action = section.choice("action", Verdict.class);
        if (action.isEmpty() && !section.has("action")) {
            section.problem("action", "is missing: write allow or deny");
        }
        Optional<Endpoint> connect = section.text("connect", Endpoint::parse);
        Optional<String> credential = section.text("credential", text -> text);
        boolean insecure = section.flag("insecure-credential");
        if (problems.size() > before) {
            return Optional.empty();
        }
        return section.build(() ->
                new EgressRule(
                        name,
                        host.orElseThrow(),
                        ports,
                        protocol,
                        action.orElseThrow(),
                        connect,
                        credential,
                        insecure));
    }

    private Optional<HostPattern> host(Section section) {
        Optional<HostPattern> host = section.text("host", HostPattern::parse);
        Optional<HostPattern> block =
                section.text("cidr", text -> new HostPattern.Block(Cidr.parse(text)));
        if (section.has("host") == section.has("cidr")) {
            section.problem("host", "and cidr: exactly one of them is needed");
        }
        return host.or(() -> block);
    }

    private static List<PortRange> ports(Section section, Protocol protocol) {
        if (section.has("port") && section.has("ports")) {
            section.problem("port", "and ports: only one of them");
        }
        List<PortRange> ports = new ArrayList<>();
        section.scalar("port", PortRange::parse).ifPresent(ports::add);
        ports.addAll(section.scalars("ports", PortRange::parse));
        if (!section.has("port") && !section.has("ports")) {
            protocol.defaultPort().ifPresent(port -> ports.add(new PortRange(port, port)));
        }
        return ports;
    }

    private Optional<Credential> credential(Section section) {
        int before = problems.size();
        String name = section.required("name");
        String header = section.text("header", text -> text).orElse("Authorization");
        String format = section.text("format", text -> text).orElse("{}");
        Optional<Credential.Source> source = source(section);
        if (problems.size() > before || source.isEmpty()) {
            return Optional.empty();
        }
        return section.build(() -> new Credential(name, header, format, source.orElseThrow()));
    }

    private static Optional<Credential.Source> source(Section section) {
        Optional<Section> inner = section.section("source");
        if (inner.isEmpty()) {
            section.problem("source", "is missing: write {file: PATH} or {env: NAME}");
            return Optional.empty();
        }
        Section source = inner.get();
        Optional<Credential.Source> file = source.text("file", Credential.Source.File::new);
        Optional<Credential.Source> env = source.text("env", Credential.Source.Environment::new);
        source.rejectUnknown();
        if (source.has("file") == source.has("env")) {
            section.problem("source", "needs exactly one of file and env");
            return Optional.empty();
        }
        return file.or(() -> env);
    }

    static <E extends Enum<E>> Optional<E> constant(Class<E> type, String text) {
        return List.of(type.getEnumConstants()).stream()
                .filter(each -> each.name().toLowerCase(Locale.ROOT).equals(text))
                .findFirst();
    }

    static <T> Optional<T> caught(Supplier<T> supplier, String place, List<String> problems) {
        try {
            return Optional.of(supplier.get());
        } catch (PolicyException e) {
            e.problems().forEach(problem -> problems.add(place + ": " + problem));
            return Optional.empty();
        }
    }
}
