package dev.glovebox.worker.operator;

import java.util.List;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What an operator wants of the policies that sandboxes are judged by.
public sealed interface PolicyWish {
    /// What they are: that of one sandbox, or an overview if empty.
    record Show(String sandbox) implements PolicyWish {}

    /// That sandboxes are judged by another from now on.
    ///
    /// @param sandboxes which; all there are if empty
    /// @param policy as a policy file has it
    record Apply(List<String> sandboxes, String policy) implements PolicyWish {
        public Apply {
            sandboxes = List.copyOf(sandboxes);
        }
    }

    /// That sandboxes are judged by the worker's own files again.
    ///
    /// @param sandboxes which; all there are if empty
    record Reset(List<String> sandboxes) implements PolicyWish {
        public Reset {
            sandboxes = List.copyOf(sandboxes);
        }
    }

    /// Adds what is particular to it to a request.
    default void write(ObjectNode json) {
        json.put("verb", "policy");
        switch (this) {
            case Show(String sandbox) -> json.put("do", "show").put("sandbox", sandbox);
            case Apply(List<String> sandboxes, String policy) -> {
                json.put("do", "apply").put("policy", policy);
                sandboxes.forEach(json.putArray("sandboxes")::add);
            }
            case Reset(List<String> sandboxes) -> {
                json.put("do", "reset");
                sandboxes.forEach(json.putArray("sandboxes")::add);
            }
        }
    }

    /// Reads it from a request.
    ///
    /// @throws OperatorException if it is none
    static PolicyWish parse(JsonNode json) {
        List<String> sandboxes =
                StreamSupport.stream(json.path("sandboxes").spliterator(), false)
                        .map(name -> name.asString(""))
                        .toList();
        String wish = json.path("do").asString("");
        return switch (wish) {
            case "show" -> new Show(json.path("sandbox").asString(""));
            case "apply" -> {
                if (!json.path("policy").isString()) {
                    throw new OperatorException("policy apply needs a policy");
                }
                yield new Apply(sandboxes, json.path("policy").asString());
            }
            case "reset" -> new Reset(sandboxes);
            default ->
                    throw new OperatorException(
                            "nothing to do '" + Printable.cut(wish, 40) + "' with a policy");
        };
    }
}
