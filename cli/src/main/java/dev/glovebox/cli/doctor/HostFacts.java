package dev.glovebox.cli.doctor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Everything the doctor looks at, in the order it is told.
public final class HostFacts {
    private HostFacts() {}

    /// Looks at this host. Starts programs, opens a door and starts a sandbox, each with a
    /// deadline, and leaves nothing behind.
    ///
    /// @param data where the worker would keep its state
    /// @param config of the worker, if it is to be looked at too
    public static List<HostFact> collect(Path data, Optional<Path> config) {
        List<HostFact> facts = new ArrayList<>();
        config.map(file -> new PolicyFacts(file).collect()).ifPresent(facts::addAll);
        facts.addAll(new ResourceFacts(data).collect());
        facts.addAll(new KernelFacts(Path.of("/")).collect());
        facts.addAll(new ModuleFacts(Path.of("/")).collect());
        facts.addAll(new ProcessorFacts(Path.of("/")).collect());
        facts.addAll(new ProgramFacts().collect());
        if (facts.stream().noneMatch(f -> f.level() == HostFact.Level.FATAL)) {
            facts.addAll(new SandboxTrial().run());
        }
        return facts;
    }
}
