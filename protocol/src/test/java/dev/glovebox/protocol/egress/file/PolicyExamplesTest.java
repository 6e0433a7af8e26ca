package dev.glovebox.protocol.egress.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Explanation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What docs/policy.md shows is so.
class PolicyExamplesTest {
    private static final Pattern BLOCK =
            Pattern.compile("```(yaml policy|explain)\n(.*?)```", Pattern.DOTALL);

    private static List<String[]> blocks(String page) throws IOException {
        Matcher block = BLOCK.matcher(Files.readString(Path.of("..", "docs", page)));
        List<String[]> blocks = new ArrayList<>();
        while (block.find()) {
            blocks.add(new String[] {block.group(1), block.group(2)});
        }
        return blocks;
    }

    @Test
    void everyExample_isAPolicy_andSaysWhatThePageSays() throws IOException {
        EgressPolicy last = EgressPolicy.DENY_ALL;
        int explained = 0;
        for (String[] block : blocks("policy.md")) {
            if (block[0].equals("yaml policy")) {
                last = EgressPolicy.parse(block[1]);
                continue;
            }
            for (String line : block[1].lines().toList()) {
                String[] words = line.split(" +", -1);
                Explanation explanation = last.explain(words[0], words[1]);
                assertThat(explanation.decision().verdict().text()).as(line).isEqualTo(words[2]);
                assertThat(explanation.decision().ruleName()).as(line).isEqualTo(words[3]);
                explained++;
            }
        }
        assertThat(explained).isEqualTo(7);
    }

    @Test
    void everyKeyOfTheLanguage_isInAnExample() throws IOException {
        Set<String> shown = new TreeSet<>();
        for (String[] block : blocks("policy.md")) {
            if (block[0].equals("yaml policy")) {
                keys(PolicyReader.tree(block[1]), shown);
            }
        }
        assertThat(shown)
                .containsAll(known(""))
                .containsAll(known("/$defs/rule"))
                .containsAll(known("/$defs/budget"));
    }

    private static Set<String> known(String part) {
        return new TreeSet<>(
                Json.tree(PolicySchema.text()).at(part + "/properties").propertyNames());
    }

    private static void keys(JsonNode node, Set<String> keys) {
        keys.addAll(node.propertyNames());
        node.values().forEach(each -> keys(each, keys));
    }

    @Test
    void everyPresetIsNamed() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "policy.md"));
        assertThat(Presets.names()).allSatisfy(name -> assertThat(page).contains("`" + name + "`"));
    }
}
