package dev.glovebox.cli.audit;

import dev.glovebox.protocol.Json;
import java.io.IOException;
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

    @Mixin private RecordChoice records;

    @Option(
            names = "--host",
            paramLabel = "HOST",
            description = "Only this name or address, or *.NAME: all below it.")
    private @Nullable String host;

    @Option(
            names = "--verdict",
            paramLabel = "V",
            description = "Only allow, audit, learn, deny or ask.")
    private @Nullable String verdict;

    @Option(names = "--json", description = "The records as they are, one a line.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        Predicate<JsonNode> wanted = records.wanted();
        if (verdict != null) {
            wanted = wanted.and(RecordChoice.field("verdict", verdict));
        }
        if (host != null) {
            wanted = wanted.and(host(host));
        }
        choice.trail()
                .query(wanted, record -> AuditVerify.line(json ? json(record) : text(record)));
        return 0;
    }

    private static Predicate<JsonNode> host(String pattern) {
        return pattern.startsWith("*.")
                ? record -> record.path("host").asString("").endsWith(pattern.substring(1))
                : RecordChoice.field("host", pattern);
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
        add(line, record, "by", "  by ");
        add(line, record, "policy", "  policy ");
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
