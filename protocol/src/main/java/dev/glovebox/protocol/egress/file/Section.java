package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Quoted;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/// One object of a policy file being read: remembers which keys were asked for, so that the rest
/// can be refused, and puts the place in front of every problem.
final class Section {
    private static final int MAX_TEXT = 4096;

    private final JsonNode node;
    private final String place;
    private final List<String> problems;
    private final int before;
    private final Set<String> known = new HashSet<>();

    Section(JsonNode node, String place, List<String> problems) {
        this.node = node;
        this.place = place;
        this.problems = problems;
        this.before = problems.size();
        if (!node.isObject()) {
            problems.add(place + ": is not an object");
        }
    }

    List<String> keys() {
        return List.copyOf(node.propertyNames());
    }

    boolean has(String key) {
        return node.get(key) != null;
    }

    void problem(String key, String text) {
        problems.add(at(key) + ": " + text);
    }

    /// Something is wrong with the object as a whole.
    void problem(String text) {
        problems.add(place + ": " + text);
    }

    private String at(String key) {
        return place.isEmpty() ? key : place + "." + key;
    }

    private Optional<JsonNode> get(String key) {
        known.add(key);
        return Optional.ofNullable(node.get(key));
    }

    String required(String key) {
        Optional<String> text = text(key, value -> value);
        if (text.isEmpty() && !has(key)) {
            problem(key, "is missing");
        }
        return text.orElse("");
    }

    /// A text value, read by a parser that may throw [PolicyException].
    <T> Optional<T> text(String key, Function<String, ? extends T> parser) {
        return get(key).flatMap(value -> parsed(at(key), value, value.isString(), parser));
    }

    /// A text or whole number.
    <T> Optional<T> scalar(String key, Function<String, T> parser) {
        return get(key).flatMap(value -> parsed(at(key), value, isScalar(value), parser));
    }

    /// A list of texts or whole numbers.
    <T> List<T> scalars(String key, Function<String, T> parser) {
        List<JsonNode> values = list(key);
        List<T> parsed = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            JsonNode value = values.get(i);
            parsed(at(key) + "[" + i + "]", value, isScalar(value), parser).ifPresent(parsed::add);
        }
        if (has(key) && values.isEmpty()) {
            problem(key, "is empty");
        }
        return parsed;
    }

    private static boolean isScalar(JsonNode value) {
        return value.isString() || value.isIntegralNumber();
    }

    private <T> Optional<T> parsed(
            String at, JsonNode value, boolean fits, Function<String, ? extends T> parser) {
        if (!fits || value.asString().isEmpty() || value.asString().length() > MAX_TEXT) {
            problems.add(at + ": is not a text of 1-" + MAX_TEXT + " characters");
            return Optional.empty();
        }
        return caught(() -> parser.apply(value.asString()), at, problems);
    }

    /// One of these, in lower case.
    <E extends Enum<E>> Optional<E> choice(String key, List<E> constants) {
        Optional<String> text = text(key, value -> value);
        Optional<E> constant =
                constants.stream().filter(each -> text.equals(Optional.of(word(each)))).findFirst();
        if (text.isPresent() && constant.isEmpty()) {
            String choices =
                    constants.stream().map(Section::word).collect(Collectors.joining(", "));
            problem(key, Quoted.of(text.get()) + " is not one of " + choices);
        }
        return constant;
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    boolean flag(String key) {
        Optional<JsonNode> value = get(key);
        if (value.isPresent() && !value.get().isBoolean()) {
            problem(key, "is not true or false");
            return false;
        }
        return value.isPresent() && value.get().asBoolean();
    }

    List<JsonNode> list(String key) {
        Optional<JsonNode> value = get(key);
        if (value.isPresent() && !value.get().isArray()) {
            problem(key, "is not a list");
            return List.of();
        }
        return value.map(array -> List.copyOf(array.values())).orElse(List.of());
    }

    /// Each object of a list.
    <T> List<T> each(String key, Function<Section, Optional<T>> part) {
        List<JsonNode> nodes = list(key);
        List<T> parts = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            Section section = new Section(nodes.get(i), at(key) + "[" + i + "]", problems);
            part.apply(section).ifPresent(parts::add);
            section.rejectUnknown();
        }
        return parts;
    }

    /// An object inside, with nothing unknown in it.
    <T> Optional<T> inner(String key, Function<Section, Optional<T>> part) {
        return section(key)
                .flatMap(section -> {
                    Optional<T> read = part.apply(section);
                    section.rejectUnknown();
                    return read;
                });
    }

    private Optional<Section> section(String key) {
        return get(key).map(value -> new Section(value, at(key), problems));
    }

    <T> Optional<T> build(Supplier<T> supplier) {
        return caught(supplier, place.isEmpty() ? "policy" : place, problems);
    }

    private static <T> Optional<T> caught(
            Supplier<T> supplier, String place, List<String> problems) {
        try {
            return Optional.of(supplier.get());
        } catch (PolicyException e) {
            e.problems().forEach(problem -> problems.add(place + ": " + problem));
            return Optional.empty();
        }
    }

    /// Whether nothing was wrong in this object and what it holds so far.
    boolean isSound() {
        return problems.size() == before;
    }

    /// Adds a problem for every key that nobody asked for.
    void rejectUnknown() {
        for (String key : node.propertyNames()) {
            if (!known.contains(key)) {
                problem(key, "is not a key here, there are " + String.join(", ", sorted()));
            }
        }
    }

    private List<String> sorted() {
        return known.stream().sorted().toList();
    }
}
