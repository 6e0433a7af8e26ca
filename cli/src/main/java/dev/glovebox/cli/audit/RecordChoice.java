package dev.glovebox.cli.audit;

import dev.glovebox.cli.config.Durations;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/// Which of the records are meant, by their session and age.
public final class RecordChoice {
    @Option(names = "--session", paramLabel = "ID", description = "Only of this session.")
    private @Nullable String session;

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description = "Only later than this: 2h ago, or 2026-01-31T12:00:00Z.")
    private @Nullable String since;

    /// Whether a record is meant.
    public Predicate<JsonNode> wanted() {
        Predicate<JsonNode> wanted = _ -> true;
        if (session != null) {
            wanted = wanted.and(field("session", session));
        }
        if (since != null) {
            Instant start = instant(since);
            wanted = wanted.and(record -> !time(record).isBefore(start));
        }
        return wanted;
    }

    static Predicate<JsonNode> field(String name, String value) {
        return record -> record.path(name).asString("").equals(value);
    }

    private static Instant instant(String text) {
        try {
            return text.contains("T")
                    ? Instant.parse(text)
                    : Instant.now().minus(Durations.parse(text));
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a time such as 2h or 2026-01-31T12:00:00Z", e);
        }
    }

    private static Instant time(JsonNode record) {
        try {
            return Instant.parse(record.path("time").asString(""));
        } catch (DateTimeParseException e) {
            return Instant.MIN;
        }
    }
}
