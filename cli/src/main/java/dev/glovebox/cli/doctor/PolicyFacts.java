package dev.glovebox.cli.doctor;

import dev.glovebox.cli.config.ConfigException;
import dev.glovebox.cli.config.WorkerSettings;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.file.PolicyLint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What a worker's configuration says that sandboxes may reach.
final class PolicyFacts {
    private final Path config;

    /// @param config of the worker
    PolicyFacts(Path config) {
        this.config = config;
    }

    List<HostFact> collect() {
        List<HostFact> facts = new ArrayList<>();
        try {
            WorkerSettings.read(config)
                    .place()
                    .policies()
                    .read()
                    .each((name, policy) -> facts.add(fact("policy " + name, policy)));
        } catch (ConfigException e) {
            facts.add(
                    HostFact.fatal(
                            "configuration",
                            String.valueOf(e.getMessage()),
                            "mend it; a worker does not start with it"));
        }
        return facts;
    }

    private static HostFact fact(String name, EgressPolicy policy) {
        String rules = policy.rules().size() + " rules";
        if (policy.fallback() == EgressPolicy.Fallback.LEARN) {
            return HostFact.warn(
                    name,
                    rules + ", learns",
                    "to every public address passes what no rule speaks of: take `default: learn` out when enough"
                            + " is learned");
        }
        int warnings = PolicyLint.warnings(policy).size();
        return warnings == 0
                ? HostFact.ok(name, rules)
                : HostFact.warn(
                        name, rules + ", " + warnings + " warnings", "see glovebox policy check");
    }
}
