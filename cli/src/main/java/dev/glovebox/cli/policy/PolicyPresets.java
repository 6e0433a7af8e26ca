package dev.glovebox.cli.policy;

import dev.glovebox.cli.operator.Screen;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.file.PolicyTree;
import dev.glovebox.protocol.egress.file.Presets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `glovebox policy presets`.
@Command(
        name = "presets",
        description = {
            "Lists the presets that a policy can take by name, with their hosts; with names, prints their rules. They let fetch and"
                    + " nothing else: no publishing, no pushing.",
            "",
            "Examples:",
            "  glovebox policy presets",
            "  glovebox policy presets npm github"
        },
        mixinStandardHelpOptions = true)
public final class PolicyPresets implements Callable<Integer> {
    @Parameters(arity = "0..*", paramLabel = "NAME", description = "Whose rules are printed.")
    private List<String> names = List.of();

    @Override
    public Integer call() {
        Screen screen = Screen.standard();
        if (names.isEmpty()) {
            screen.table(
                    List.of("NAME", "HOSTS"),
                    Presets.names().stream().map(PolicyPresets::row).toList());
            return 0;
        }
        List<EgressRule> rules = new ArrayList<>();
        names.forEach(name -> rules.addAll(Presets.rules(name)));
        PolicyTree.yaml(PolicyTree.of(new EgressPolicy(rules, List.of())))
                .lines()
                .forEach(screen::line);
        return 0;
    }

    private static List<String> row(String name) {
        return List.of(
                name,
                Presets.rules(name).stream()
                        .map(rule -> rule.host().text())
                        .distinct()
                        .collect(Collectors.joining(", ")));
    }
}
