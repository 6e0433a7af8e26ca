package dev.glovebox.spec.tools;

import dev.glovebox.sandbox.Profile;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// One thing an agent commonly does with a tool of its trade.
///
/// @param name for the table
/// @param script for bash, in an empty `/workspace`; it works if its last line of output is `works`
/// @param profiles in which it must work; in the others it must not
record Tool(String name, String script, Set<Profile> profiles) {
    /// All of `tools.json`. There a script is a list of lines; without `profiles` it is all of
    /// [#TRIED].
    static List<Tool> all() {
        try (InputStream file = Tool.class.getResourceAsStream("tools.json")) {
            JsonNode list = JsonMapper.shared().readTree(file);
            return StreamSupport.stream(list.spliterator(), false).map(Tool::read).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("read tools.json", e);
        }
    }

    /// The profiles of the table; what runs nested under gVisor is tried in the sandbox room.
    static final List<Profile> TRIED = List.of(Profile.STRICT, Profile.DEV);

    private static Tool read(JsonNode node) {
        String script =
                StreamSupport.stream(node.get("script").spliterator(), false)
                        .map(JsonNode::asString)
                        .collect(Collectors.joining("\n"));
        Set<Profile> profiles =
                node.has("profiles")
                        ? Arrays.stream(node.get("profiles").asString().split(" ", -1))
                                .map(Profile::valueOf)
                                .collect(Collectors.toSet())
                        : Set.copyOf(TRIED);
        return new Tool(node.get("name").asString(), script, profiles);
    }
}
