package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.Budget;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.PortRange;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.request.PathPattern;
import dev.glovebox.protocol.egress.request.RequestTerms;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLMapper;
import tools.jackson.dataformat.yaml.YAMLWriteFeature;

/// A policy written down again, always in the same way: two policies are written alike if they mean
/// the same, however their files were spelled. What is written can be read again.
public final class PolicyTree {
    private static final YAMLMapper YAML =
            YAMLMapper.builder(
                            YAMLFactory.builder()
                                    .disable(YAMLWriteFeature.WRITE_DOC_START_MARKER)
                                    .enable(YAMLWriteFeature.MINIMIZE_QUOTES)
                                    .enable(YAMLWriteFeature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
                                    .enable(YAMLWriteFeature.INDENT_ARRAYS)
                                    .enable(YAMLWriteFeature.INDENT_ARRAYS_WITH_INDICATOR)
                                    .build())
                    .build();

    private PolicyTree() {}

    /// The whole policy, presets written out.
    public static ObjectNode of(EgressPolicy policy) {
        ObjectNode tree = head(policy);
        if (!policy.credentials().isEmpty()) {
            var list = tree.putArray("credentials");
            policy.credentials().forEach(each -> list.add(CredentialTree.of(each)));
        }
        return tree;
    }

    /// The policy for people to look at: of a credential its name, what it is put on as and what
    /// kind of source it has, and not where that is. Cannot be read again if there are credentials.
    public static ObjectNode shown(EgressPolicy policy) {
        ObjectNode tree = head(policy);
        if (!policy.credentials().isEmpty()) {
            var list = tree.putArray("credentials");
            for (Credential each : policy.credentials()) {
                list.addObject()
                        .put("name", each.name())
                        .put("as", CredentialTree.projectionWord(each.projection()))
                        .put("source", CredentialTree.sourceWord(each.source()));
            }
        }
        return tree;
    }

    /// SHA-256 of the whole policy as it is written here, in hexadecimal.
    public static String digest(EgressPolicy policy) {
        try {
            byte[] text = Json.write(of(policy)).getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /// A tree as YAML.
    public static String yaml(JsonNode tree) {
        return YAML.writeValueAsString(tree);
    }

    private static ObjectNode head(EgressPolicy policy) {
        ObjectNode tree = Json.object();
        if (policy.fallback() != EgressPolicy.Fallback.DENY) {
            tree.put("default", policy.fallback().text());
        }
        var rules = tree.putArray("rules");
        policy.rules().forEach(rule -> rules.add(rule(rule)));
        return tree;
    }

    /// One rule; what is the default is left out.
    public static ObjectNode rule(EgressRule rule) {
        ObjectNode tree = Json.object().put("name", rule.name());
        tree.put(rule.host() instanceof HostPattern.Block ? "cidr" : "host", rule.host().text());
        if (rule.protocol() != Protocol.TLS) {
            tree.put("protocol", rule.protocol().text());
        }
        ports(tree, rule);
        rule.requests().ifPresent(terms -> requests(tree, terms));
        rule.connect().ifPresent(to -> tree.put("connect", to.toString()));
        rule.credential()
                .ifPresent(use -> {
                    tree.put("credential", use.name());
                    if (use.insecure()) {
                        tree.put("insecure-credential", true);
                    }
                });
        rule.budget().ifPresent(budget -> tree.set("budget", budget(budget)));
        return tree.put("action", rule.action().text());
    }

    private static void ports(ObjectNode tree, EgressRule rule) {
        List<PortRange> ports = rule.ports();
        Optional<PortRange> usual =
                rule.protocol().defaultPort().stream()
                        .mapToObj(port -> new PortRange(port, port))
                        .findFirst();
        if (ports.size() > 1) {
            var list = tree.putArray("ports");
            ports.forEach(range -> {
                if (range.size() == 1) {
                    list.add(range.first());
                } else {
                    list.add(range.text());
                }
            });
        } else if (ports.getFirst().size() > 1) {
            tree.put("port", ports.getFirst().text());
        } else if (!usual.equals(Optional.of(ports.getFirst()))) {
            tree.put("port", ports.getFirst().first());
        }
    }

    private static void requests(ObjectNode tree, RequestTerms terms) {
        if (!terms.methods().isEmpty()) {
            terms.methods().stream().sorted().forEach(tree.putArray("methods")::add);
        }
        if (!terms.paths().isEmpty()) {
            terms.paths().stream().map(PathPattern::text).forEach(tree.putArray("paths")::add);
        }
        if (terms.webSocket()) {
            tree.put("websocket", true);
        }
    }

    static ObjectNode budget(Budget budget) {
        ObjectNode tree = Json.object();
        budget.requests().ifPresent(count -> tree.put("requests", count));
        budget.bytes().ifPresent(count -> tree.put("bytes", Quantities.bytes(count)));
        return tree.put("per", Quantities.time(budget.per()));
    }
}
