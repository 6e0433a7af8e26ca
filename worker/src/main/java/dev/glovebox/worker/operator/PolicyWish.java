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

    /// What sandboxes have asked and nobody has answered.
    record Questions() implements PolicyWish {}

    /// That a destination which a rule leaves to the operator may be reached, or not.
    ///
    /// @param sandbox that has asked
    /// @param destination `HOST:PORT`
    /// @param allowed whether it may
    /// @param seconds how long that holds
    record Answer(String sandbox, String destination, boolean allowed, long seconds)
            implements PolicyWish {}

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
            case Questions() -> json.put("do", "questions");
            case Answer(String sandbox, String destination, boolean allowed, long seconds) ->
                    json.put("do", "answer")
                            .put("sandbox", sandbox)
                            .put("destination", destination)
                            .put("allowed", allowed)
                            .put("seconds", seconds);
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
            case "questions" -> new Questions();
            case "answer" -> {
                if (!json.path("allowed").isBoolean()) {
                    throw new OperatorException("an answer allows or does not");
                }
                yield new Answer(
                        json.path("sandbox").asString(""),
                        json.path("destination").asString(""),
                        json.path("allowed").asBoolean(),
                        json.path("seconds").asLong(0));
            }
            default ->
                    throw new OperatorException(
                            "nothing to do '" + Printable.cut(wish, 40) + "' with a policy");
        };
    }
}
