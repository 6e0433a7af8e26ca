package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Quoted;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Rules for package registries and source forges, by ecosystem, which a policy takes by name.
public final class Presets {
    private static final Map<String, List<EgressRule>> ALL = load();

    private Presets() {}

    /// What there are, in alphabetical order.
    public static List<String> names() {
        return List.copyOf(ALL.keySet());
    }

    /// The rules of one.
    ///
    /// @throws PolicyException if there is none of that name
    public static List<EgressRule> rules(String name) {
        List<EgressRule> rules = ALL.get(name);
        if (rules == null) {
            throw new PolicyException(
                    Quoted.of(name) + " is no preset, there are " + String.join(", ", names()));
        }
        return rules;
    }

    private static Map<String, List<EgressRule>> load() {
        List<String> problems = new ArrayList<>();
        Section top = new Section(PolicyReader.tree(resource("presets.yaml")), "", problems);
        Map<String, List<EgressRule>> all = new TreeMap<>();
        for (String name : top.keys()) {
            all.put(name, top.each(name, RuleReader::rule));
        }
        if (!problems.isEmpty()) {
            throw new PolicyException(problems);
        }
        return all;
    }

    /// A text that lies beside this class.
    static String resource(String name) {
        try (InputStream in = Presets.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("resource " + name + " is not there");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("resource " + name, e);
        }
    }
}
