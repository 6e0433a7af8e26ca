package dev.glovebox.cli.audit;

import dev.glovebox.cli.config.Durations;
import dev.glovebox.protocol.Json;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/// `glovebox audit query`.
@Command(
        name = "query",
        description = {
            "Prints records, oldest first: number, time, session, what happened, where to, verdict and rule. It does not check the"
                    + " chain: audit verify does.",
            "",
            "Examples:",
            "  glovebox audit query --session sesn_01ab --verdict deny",
            "  glovebox audit query --host api.example.com --since 2h --json"
        },
        mixinStandardHelpOptions = true,
        exitCodeOnExecutionException = 2)
public final class AuditQuery implements Callable<Integer> {
    @Mixin private TrailChoice choice;

    @Option(names = "--session", paramLabel = "ID", description = "Only of this session.")
    private @Nullable String session;

    @Option(
            names = "--host",
            paramLabel = "HOST",
            description = "Only this name or address, or *.NAME: all below it.")
    private @Nullable String host;

    @Option(names = "--verdict", paramLabel = "V", description = "Only allow, audit, deny or ask.")
    private @Nullable String verdict;

    @Option(
            names = "--since",
            paramLabel = "TIME",
            description = "Only later than this: 2h ago, or 2026-01-31T12:00:00Z.")
    private @Nullable String since;

    @Option(names = "--json", description = "The records as they are, one a line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Predicate<JsonNode> wanted = _ -> true;
        if (session != null) {
            wanted = wanted.and(field("session", session));
        }
        if (verdict != null) {
            wanted = wanted.and(field("verdict", verdict));
        }
        if (host != null) {
            wanted = wanted.and(host(host));
        }
        if (since != null) {
            Instant start = instant(since);
            wanted = wanted.and(record -> !time(record).isBefore(start));
        }
        choice.trail()
                .query(wanted, record -> AuditVerify.line(json ? json(record) : text(record)));
        return 0;
    }

    private static Predicate<JsonNode> field(String name, String value) {
        return record -> record.path(name).asString("").equals(value);
    }

    private static Predicate<JsonNode> host(String pattern) {
        return pattern.startsWith("*.")
                ? record -> record.path("host").asString("").endsWith(pattern.substring(1))
                : field("host", pattern);
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

    private static String json(JsonNode record) {
        return Json.write(record);
    }

    private static String text(JsonNode record) {
        StringBuilder line = new StringBuilder();
        add(line, record, "number", "");
        add(line, record, "time", "  ");
        add(line, record, "session", "  ");
        add(line, record, "event", "  ");
        add(line, record, "method", " ");
        add(line, record, "host", "  ");
        add(line, record, "port", ":");
        add(line, record, "path", "");
        add(line, record, "verdict", "  ");
        add(line, record, "rule", "  rule ");
        add(line, record, "credential", "  credential ");
        add(line, record, "of", "  of ");
        add(line, record, "bytes_out", "  out ");
        add(line, record, "bytes_in", "  in ");
        add(line, record, "millis", "  ms ");
        add(line, record, "reason", "  ");
        return line.toString();
    }

    private static void add(StringBuilder line, JsonNode record, String field, String before) {
        JsonNode value = record.path(field);
        if (!value.isMissingNode()) {
            line.append(before).append(printable(value.asString("")));
        }
    }

    private static String printable(String text) {
        StringBuilder shown = new StringBuilder();
        text.chars().forEach(c -> shown.append(c < ' ' || c == 0x7f ? '?' : (char) c));
        return shown.toString();
    }
}
