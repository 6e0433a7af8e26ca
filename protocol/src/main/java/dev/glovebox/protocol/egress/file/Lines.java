package dev.glovebox.protocol.egress.file;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.ObjectMapper;

/// On which line each place of a policy file is, such as `rules[2].port`.
final class Lines {
    private final Map<String, Integer> lines = new HashMap<>();

    /// An object or a list around what is being read.
    private static final class Level {
        private final String place;
        private final boolean list;
        private int next;

        Level(String place, boolean list) {
            this.place = place;
            this.list = list;
        }

        String child(String key) {
            if (list) {
                return place + "[" + next++ + "]";
            }
            return place.isEmpty() ? key : place + "." + key;
        }
    }

    /// Notes the lines of a text that has been read already.
    static Lines of(ObjectMapper mapper, String text) {
        Lines lines = new Lines();
        try (JsonParser parser = mapper.createParser(text)) {
            lines.note(parser);
        } catch (JacksonException e) {
            return new Lines();
        }
        return lines;
    }

    private void note(JsonParser parser) {
        Deque<Level> levels = new ArrayDeque<>();
        String key = "";
        for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
            int line = parser.currentTokenLocation().getLineNr();
            if (token == JsonToken.PROPERTY_NAME) {
                key = parser.currentName();
            } else if (token.isStructEnd()) {
                levels.pop();
            } else {
                Level parent = levels.peek();
                String place = parent == null ? "" : parent.child(key);
                lines.putIfAbsent(place, line);
                if (token.isStructStart()) {
                    levels.push(new Level(place, token == JsonToken.START_ARRAY));
                }
            }
        }
    }

    /// The line of what a problem begins with, such as `rules[2].port: ...`, or of what that is a
    /// part of.
    OptionalInt of(String problem) {
        int colon = problem.indexOf(": ");
        String place = colon < 0 ? "" : problem.substring(0, colon);
        while (!place.isEmpty()) {
            Integer line = lines.get(place);
            if (line != null) {
                return OptionalInt.of(line);
            }
            place = place.substring(0, Math.max(place.lastIndexOf('.'), 0));
        }
        return OptionalInt.empty();
    }
}
