package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.PolicyException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLMapper;

/// Reads a policy file and goes on after each fault, so that its writer sees all of them at once.
public final class PolicyReader {
    static final YAMLMapper YAML =
            YAMLMapper.builder(
                            YAMLFactory.builder()
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private static final int MAX_CHARACTERS = 256 * 1024;

    private PolicyReader() {}

    /// Reads a policy written in YAML or JSON.
    ///
    /// @throws PolicyException listing everything that is wrong, each with its place
    public static EgressPolicy read(String text) {
        PolicyReport report = PolicyReport.unlinted(text);
        return report.policy()
                .orElseThrow(() ->
                        new PolicyException(
                                report.faults().stream().map(Finding::toString).toList()));
    }

    /// The tree of a policy's text.
    ///
    /// @throws JacksonException if it is neither YAML nor JSON
    /// @throws PolicyException if it is too long, or not an object
    static JsonNode tree(String text) {
        if (text.length() > MAX_CHARACTERS) {
            throw new PolicyException(
                    "the policy is longer than " + MAX_CHARACTERS + " characters");
        }
        JsonNode tree = YAML.readTree(text);
        if (!tree.isObject()) {
            throw new PolicyException(
                    "the policy is not an object with rules; write \"rules: []\" to deny everything");
        }
        return tree;
    }
}
