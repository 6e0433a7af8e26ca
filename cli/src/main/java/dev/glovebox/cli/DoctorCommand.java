package dev.glovebox.cli;

import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.cli.doctor.HostFact;
import dev.glovebox.cli.doctor.HostFacts;
import dev.glovebox.protocol.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `glovebox doctor`: what this host has and lacks, found out by doing.
@Command(
        name = "doctor",
        description = {
            "Looks at this host: kernel, runtimes, limits, network, and a throw-away sandbox that is started and looked at from"
                    + " inside.",
            "",
            "Exit code 0, or 1 when something is fatal: sandboxes cannot run here."
        },
        mixinStandardHelpOptions = true)
final class DoctorCommand implements Callable<Integer> {
    @Option(names = "--json", description = "Print JSON for machines.")
    private boolean json;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = StateDirectories.DEFAULT,
            description = "Where the worker keeps its state (default: ${DEFAULT-VALUE}).")
    private Path data;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Configuration of the worker, whose policies are looked at too.")
    private @Nullable Path config;

    @Override
    public Integer call() {
        List<HostFact> facts = HostFacts.collect(data, Optional.ofNullable(config));
        Terminal terminal = Terminal.standard();
        boolean fatal = facts.stream().anyMatch(f -> f.level() == HostFact.Level.FATAL);
        if (json) {
            terminal.line(Json.write(report(facts, fatal)));
        } else {
            print(facts, fatal, terminal);
        }
        return fatal ? 1 : 0;
    }

    private static ObjectNode report(List<HostFact> facts, boolean fatal) {
        ObjectNode report = Json.object().put("usable", !fatal);
        ArrayNode list = report.putArray("facts");
        for (HostFact fact : facts) {
            list.addObject()
                    .put("name", fact.name())
                    .put("level", word(fact))
                    .put("value", fact.value())
                    .put("advice", fact.advice());
        }
        return report;
    }

    private static void print(List<HostFact> facts, boolean fatal, Terminal terminal) {
        terminal.table(
                List.of("", "", ""),
                facts.stream()
                        .map(f ->
                                List.of(
                                        word(f),
                                        f.name(),
                                        f.advice().isEmpty()
                                                ? f.value()
                                                : f.value() + "; " + f.advice()))
                        .toList());
        terminal.line("");
        terminal.line(
                fatal
                        ? terminal.bad("sandboxes cannot run on this host: mend what is fatal")
                        : terminal.good("sandboxes can run on this host"));
    }

    private static String word(HostFact fact) {
        return fact.level().name().toLowerCase(Locale.ROOT);
    }
}
