package dev.glovebox.cli.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.dataformat.yaml.YAMLFactory;

/// A YAML file of settings, flattened to dotted keys that remember their line, and the list of all
/// that is wrong with it.
///
/// ```yaml
/// max-sessions: 16
/// limits:
///   memory: 2g        # the key `limits.memory`
/// ```
///
/// A known key that ends in `.*` stands for all keys below it, one that ends in `[]` for a list of
/// words.
///
/// A key that nobody knows, a value nobody can read and a list where there is none to be are
/// problems; [#finish] throws them all at once, each with its line.
public final class Settings {
    private static final long LARGEST = 1024 * 1024;

    private final Path file;
    private final Set<String> known;
    private final Map<String, Setting> values = new LinkedHashMap<>();
    private final Map<String, List<Setting>> lists = new LinkedHashMap<>();
    private final Map<String, Integer> sections = new LinkedHashMap<>();
    private final List<String> problems = new ArrayList<>();

    private record Setting(String text, int line) {}

    private Settings(Path file, Set<String> known) {
        this.file = file;
        this.known = known;
    }

    /// Reads a file.
    ///
    /// @param known every key there may be
    /// @throws ConfigException when the file cannot be read or is not YAML
    public static Settings read(Path file, Set<String> known) {
        Settings settings = new Settings(file, known);
        try {
            if (Files.size(file) > LARGEST) {
                throw new ConfigException(file + " is larger than 1 MiB: not a configuration");
            }
            settings.parse(Files.readString(file));
        } catch (IOException e) {
            throw new ConfigException("cannot read configuration " + file, e);
        } catch (JacksonException e) {
            throw new ConfigException(
                    file
                            + ", line "
                            + e.getLocation().getLineNr()
                            + ": not YAML: "
                            + e.getOriginalMessage(),
                    e);
        }
        settings.values.forEach((key, value) -> {
            String above = key.substring(0, Math.max(0, key.lastIndexOf('.')));
            if (!known.contains(key) && !known.contains(above + ".*")) {
                settings.problem(value.line, "unknown key " + key + suggestion(key, known));
            }
        });
        return settings;
    }

    /// The value of a key, converted; empty when the key is missing or wrong.
    public <T> Optional<T> get(String key, Function<String, T> conversion) {
        Setting setting = values.get(key);
        if (setting == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(conversion.apply(setting.text));
        } catch (RuntimeException e) {
            problem(setting.line, key + ": " + e.getMessage());
            return Optional.empty();
        }
    }

    /// The keys below `key`, which is known as `key.*`, with their values.
    public Map<String, String> below(String key) {
        Map<String, String> found = new LinkedHashMap<>();
        values.forEach((name, setting) -> {
            if (name.startsWith(key + ".")) {
                found.put(name.substring(key.length() + 1), setting.text);
            }
        });
        return found;
    }

    /// The words of a list, which is known as `key[]`; empty when it is missing.
    public List<String> words(String key) {
        return each(key, word -> word);
    }

    /// The words of a list, which is known as `key[]`, converted; those that are wrong are left
    /// out.
    public <T> List<T> each(String key, Function<String, T> conversion) {
        List<T> converted = new ArrayList<>();
        for (Setting word : lists.getOrDefault(key, List.of())) {
            try {
                converted.add(conversion.apply(word.text));
            } catch (RuntimeException e) {
                problem(word.line, key + ": " + e.getMessage());
            }
        }
        return List.copyOf(converted);
    }

    /// Says that a key, where the file has it, makes no sense beside the others.
    public void wrong(String key, String what) {
        Setting setting = values.get(key);
        if (setting == null) {
            setting = lists.getOrDefault(key, List.of()).stream().findFirst().orElse(null);
        }
        if (setting != null) {
            problem(setting.line, key + ": " + what);
        }
    }

    /// Whether there is a list of this key.
    public boolean lists(String key) {
        return lists.containsKey(key);
    }

    /// What a conversion makes of the keys below `key` as a whole; empty if there is no such part,
    /// which is something else than one that is empty.
    public <T> Optional<T> section(String key, Supplier<T> conversion) {
        Integer line = sections.get(key);
        if (line == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(conversion.get());
        } catch (RuntimeException e) {
            problem(line, key + ": " + e.getMessage());
            return Optional.empty();
        }
    }

    /// The directory that relative paths in the file start from.
    public Path directory() {
        Path parent = file.toAbsolutePath().getParent();
        return parent == null ? Path.of("/") : parent;
    }

    /// Ends the reading.
    ///
    /// @throws ConfigException with everything that was wrong
    public void finish() {
        if (!problems.isEmpty()) {
            throw new ConfigException(
                    "configuration " + file + " is wrong:\n  " + String.join("\n  ", problems));
        }
    }

    private void problem(int line, String text) {
        problems.add("line " + line + ": " + text);
    }

    private void parse(String text) {
        Deque<String> path = new ArrayDeque<>();
        YAMLFactory factory =
                YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
        try (JsonParser parser =
                factory.createParser(tools.jackson.core.ObjectReadContext.empty(), text)) {
            @Nullable String name = null;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                int line = parser.currentTokenLocation().getLineNr();
                switch (token) {
                    case PROPERTY_NAME -> name = parser.currentName();
                    case START_OBJECT -> {
                        if (name != null) {
                            sections.put(key(path, name), line);
                        }
                        path.addLast(name == null ? "" : name);
                    }
                    case END_OBJECT -> path.removeLast();
                    case START_ARRAY -> list(parser, path, name, line);
                    default -> put(path, name, parser.getString(), line);
                }
            }
        }
    }

    private void list(JsonParser parser, Deque<String> path, @Nullable String name, int line) {
        String key = name == null ? "the file" : key(path, name);
        if (!known.contains(key + "[]")) {
            problem(line, key + ": a list is not expected here");
            parser.skipChildren();
            return;
        }
        List<Setting> words = new ArrayList<>();
        for (JsonToken token = parser.nextToken();
                token != null && token != JsonToken.END_ARRAY;
                token = parser.nextToken()) {
            if (token.isScalarValue()) {
                words.add(
                        new Setting(parser.getString(), parser.currentTokenLocation().getLineNr()));
            } else {
                problem(parser.currentTokenLocation().getLineNr(), key + ": must be words");
                parser.skipChildren();
            }
        }
        lists.put(key, words);
    }

    private static String key(Deque<String> path, String name) {
        String above = String.join(".", path).replaceFirst("^\\.", "");
        return above.isEmpty() ? name : above + "." + name;
    }

    private void put(Deque<String> path, @Nullable String name, @Nullable String text, int line) {
        if (name == null) {
            problem(line, "settings are lines of key: value");
            return;
        }
        values.put(key(path, name), new Setting(text == null ? "" : text, line));
    }

    private static String suggestion(String key, Set<String> known) {
        return known.stream()
                .filter(k -> distance(k, key) <= 2)
                .findFirst()
                .map(k -> "; did you mean " + k + "?")
                .orElse("; known are " + String.join(", ", known.stream().sorted().toList()));
    }

    /// Edits between two short words (Levenshtein).
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(change, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
