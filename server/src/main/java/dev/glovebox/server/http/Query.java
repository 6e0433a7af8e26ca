package dev.glovebox.server.http;

import dev.glovebox.protocol.ProblemException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// The query of a request. Arrays come as `name[]` or repeated `name`, brackets raw or encoded; an
/// empty value counts as absent, which is what the SDKs send for null.
public final class Query {
    private final Map<String, List<String>> values = new LinkedHashMap<>();

    /// @param raw the query without its question mark, still encoded; may be empty
    Query(String raw) {
        for (String pair : raw.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals < 0 || equals == pair.length() - 1) {
                continue;
            }
            String name = decode(pair.substring(0, equals));
            if (name.endsWith("[]")) {
                name = name.substring(0, name.length() - 2);
            }
            values.computeIfAbsent(name, _ -> new ArrayList<>())
                    .add(decode(pair.substring(equals + 1)));
        }
    }

    private static String decode(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException _) {
            throw ProblemException.invalid("query: bad percent-encoding");
        }
    }

    /// A single value.
    public Optional<String> text(String name) {
        return all(name).stream().findFirst();
    }

    /// Every value of an array.
    public List<String> all(String name) {
        return values.getOrDefault(name, List.of());
    }

    /// A whole number within bounds.
    public OptionalLong number(String name, long min, long max) {
        Optional<String> text = text(name);
        if (text.isEmpty()) {
            return OptionalLong.empty();
        }
        try {
            long number = Long.parseLong(text.get());
            if (number >= min && number <= max) {
                return OptionalLong.of(number);
            }
        } catch (NumberFormatException _) {
            // answered below, like a number out of bounds
        }
        throw ProblemException.invalid(
                name + ": must be a whole number from " + min + " to " + max);
    }

    /// `true` or `false`; absent means false.
    public boolean flag(String name) {
        return switch (text(name).orElse("false")) {
            case "true" -> true;
            case "false" -> false;
            default -> throw ProblemException.invalid(name + ": must be true or false");
        };
    }

    /// A time in RFC 3339, with any offset.
    public Optional<Instant> time(String name) {
        return text(name).map(text -> parse(name, text));
    }

    private static Instant parse(String name, String text) {
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeException _) {
            throw ProblemException.invalid(
                    name + ": must be an RFC 3339 time such as 2026-01-31T10:00:00Z");
        }
    }
}
