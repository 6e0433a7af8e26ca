package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.credential.Credential;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// Reads a policy file and goes on after each fault, so that its writer sees all of them at once.
public final class PolicyReader {
    private static final int MAX_CHARACTERS = 256 * 1024;

    private static final YAMLMapper YAML =
            YAMLMapper.builder(
                            YAMLFactory.builder()
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private PolicyReader() {}

    /// Reads a policy written in YAML or JSON.
    ///
    /// @throws PolicyException listing everything that is wrong, each with its place
    public static EgressPolicy read(String text) {
        List<String> problems = new ArrayList<>();
        Section top = new Section(tree(text), "", problems);
        List<EgressRule> rules = new ArrayList<>(top.each("rules", RuleReader::rule));
        top.scalars("preset", Presets::rules).forEach(rules::addAll);
        List<Credential> credentials = top.each("credentials", CredentialReader::credential);
        top.rejectUnknown();
        Optional<EgressPolicy> policy = Optional.empty();
        if (problems.isEmpty()) {
            policy = top.build(() -> new EgressPolicy(rules, credentials));
        }
        return policy.orElseThrow(() -> located(text, problems));
    }

    private static PolicyException located(String text, List<String> problems) {
        Lines lines = Lines.of(YAML, text);
        return new PolicyException(problems.stream().map(lines::locate).toList());
    }

    static JsonNode tree(String text) {
        if (text.length() > MAX_CHARACTERS) {
            throw new PolicyException(
                    "the policy is longer than " + MAX_CHARACTERS + " characters");
        }
        JsonNode tree;
        try {
            tree = YAML.readTree(text);
        } catch (JacksonException e) {
            throw new PolicyException(
                    "the policy is not YAML or JSON"
                            + Optional.ofNullable(e.getLocation())
                                    .map(place -> ", line " + place.getLineNr())
                                    .orElse("")
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
}
