package dev.glovebox.worker.operator;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.sandbox.guest.WindowSize;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What an operator asks of a worker.
public sealed interface Request {
    /// The version of the protocol.
    int VERSION = 1;

    /// What there is: one, or all if empty.
    record Look(String sandbox) implements Request {}

    /// The calls of its session after a number.
    ///
    /// @param follow whether to wait for one if there is none
    record Logs(String sandbox, long after, boolean follow) implements Request {}

    /// A command beside the agent's.
    ///
    /// @param terminal what it is to have for a terminal, empty = pipes
    record Exec(String sandbox, List<String> argv, Optional<Screen> terminal) implements Request {
        public Exec {
            argv = List.copyOf(argv);
        }

        String verb() {
            return terminal.isPresent() ? "attach" : "exec";
        }
    }

    /// Freeze all that runs in it.
    record Pause(String sandbox) implements Request {}

    /// Let it run on.
    record Resume(String sandbox) implements Request {}

    /// End it.
    record Delete(String sandbox) implements Request {}

    /// Something about the policies that sandboxes are judged by.
    record Policy(PolicyWish wish) implements Request {}

    /// A terminal.
    ///
    /// @param type the name that terminfo(5) has for it, such as `xterm-256color`
    record Screen(String type, int rows, int columns) {
        private static final Pattern TYPE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9+_.-]{0,63}");

        /// @throws OperatorException if it is no such name, or a side not within 1 and 65,535
        public Screen {
            if (!TYPE.matcher(type).matches()) {
                throw new OperatorException("not a type of terminal: '" + type + "'");
            }
            if (rows < 1 || rows > 0xffff || columns < 1 || columns > 0xffff) {
                throw new OperatorException(
                        "not a size of a terminal: " + rows + " rows, " + columns + " columns");
            }
        }

        WindowSize size() {
            return new WindowSize(rows, columns);
        }
    }

    /// The line it is sent as.
    default String line() {
        ObjectNode json = Json.object().put("v", VERSION).put("pid", ProcessHandle.current().pid());
        switch (this) {
            case Look(String sandbox) -> json.put("verb", "list").put("sandbox", sandbox);
            case Logs(String sandbox, long after, boolean follow) ->
                    json.put("verb", "logs")
                            .put("sandbox", sandbox)
                            .put("after", after)
                            .put("follow", follow);
            case Exec(String sandbox, List<String> argv, Optional<Screen> terminal) -> {
                json.put("verb", "exec").put("sandbox", sandbox);
                argv.forEach(json.putArray("argv")::add);
                terminal.ifPresent(screen ->
                        json.put("term", screen.type())
                                .put("rows", screen.rows())
                                .put("columns", screen.columns()));
            }
            case Pause(String sandbox) -> json.put("verb", "pause").put("sandbox", sandbox);
            case Resume(String sandbox) -> json.put("verb", "resume").put("sandbox", sandbox);
            case Delete(String sandbox) -> json.put("verb", "delete").put("sandbox", sandbox);
            case Policy(PolicyWish wish) -> wish.write(json);
        }
        return Json.write(json);
    }

    /// Reads a line.
    ///
    /// @throws OperatorException if it is no request of this version
    static Request parse(JsonNode json) {
        int version = json.path("v").asInt(0);
        if (version != VERSION) {
            throw new OperatorException(
                    "this worker speaks version "
                            + VERSION
                            + " of the operator's protocol: use the glovebox it was started with");
        }
        String sandbox = json.path("sandbox").asString("");
        String verb = json.path("verb").asString("");
        return switch (verb) {
            case "list" -> new Look(sandbox);
            case "logs" ->
                    new Logs(
                            sandbox,
                            json.path("after").asLong(0),
                            json.path("follow").asBoolean(false));
            case "exec" -> exec(sandbox, json);
            case "pause" -> new Pause(sandbox);
            case "resume" -> new Resume(sandbox);
            case "delete" -> new Delete(sandbox);
            case "policy" -> new Policy(PolicyWish.parse(json));
            default -> throw new OperatorException("no verb '" + Printable.cut(verb, 40) + "'");
        };
    }

    /// The tree of a line.
    ///
    /// @throws OperatorException if it is not a JSON object
    static JsonNode tree(String line) {
        try {
            JsonNode json = Json.tree(line);
            if (json.isObject()) {
                return json;
            }
        } catch (JsonException _) {
            // told below
        }
        throw new OperatorException("a request is one line with one JSON object");
    }

    private static Exec exec(String sandbox, JsonNode json) {
        List<String> argv =
                StreamSupport.stream(json.path("argv").spliterator(), false)
                        .map(word -> word.asString(""))
                        .toList();
        if (argv.isEmpty() || argv.getFirst().isEmpty()) {
            throw new OperatorException("exec needs a command");
        }
        Optional<Screen> terminal =
                json.has("term")
                        ? Optional.of(
                                new Screen(
                                        json.path("term").asString(""),
                                        json.path("rows").asInt(0),
                                        json.path("columns").asInt(0)))
                        : Optional.empty();
        return new Exec(sandbox, argv, terminal);
    }
}
