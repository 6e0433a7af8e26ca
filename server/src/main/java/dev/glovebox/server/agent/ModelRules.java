package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.server.http.Fields;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The `model` member: a bare id or an object, always shown as an object whose effort is spelt out.
final class ModelRules {
    private static final int MAX_ID = 256;
    private static final String DEFAULT_EFFORT = "high";
    private static final Set<String> EFFORTS = Set.of("low", "medium", "high", "xhigh", "max");

    private ModelRules() {}

    static ObjectNode resolve(Fields sent) {
        JsonNode value = sent.object().path("model");
        if (value.isNull() || value.isMissingNode()) {
            throw sent.refuse("model", "cannot be cleared");
        }
        if (value.isString()) {
            return model(AgentRules.required(sent, "model", MAX_ID), DEFAULT_EFFORT);
        }
        Fields model = sent.object("model").orElseThrow(() -> sent.refuse("model", "is required"));
        model.only(Set.of("id", "effort", "inference_geo", "speed"));
        ObjectNode resolved =
                model(
                        AgentRules.required(model, "id", MAX_ID),
                        effort(model).orElse(DEFAULT_EFFORT));
        if (model.optionalText("inference_geo").isPresent()) {
            resolved.put(
                    "inference_geo",
                    AgentRules.mustBe(model, "inference_geo", Set.of("us", "global")));
        }
        if (model.optionalText("speed").isPresent()) {
            resolved.put("speed", AgentRules.mustBe(model, "speed", Set.of("standard", "fast")));
        }
        return resolved;
    }

    /// Carries the effort over from the model that is replaced, when it is the same model and the
    /// client said nothing about effort.
    static void keepEffort(Fields sent, JsonNode replaced, ObjectNode resolved) {
        JsonNode value = sent.object().path("model");
        boolean silent = !value.isObject() || !value.hasNonNull("effort");
        if (silent && replaced.path("id").equals(resolved.path("id"))) {
            resolved.set("effort", replaced.path("effort").deepCopy());
        }
    }

    private static Optional<String> effort(Fields model) {
        if (model.object().path("effort").isString()) {
            return Optional.of(AgentRules.mustBe(model, "effort", EFFORTS));
        }
        return model.object("effort")
                .map(e -> AgentRules.mustBe(e.only(Set.of("type")), "type", EFFORTS));
    }

    private static ObjectNode model(String id, String effort) {
        ObjectNode model = Json.object().put("id", id);
        model.putObject("effort").put("type", effort);
        return model;
    }
}
