package dev.glovebox.cli.doctor;

import dev.glovebox.cli.config.ConfigException;
import dev.glovebox.cli.config.RegistrySettings;
import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.egress.EgressException;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeProbe;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The doctor's proof: a throw-away sandbox behind a door is started, attested and ended on this
/// host.
final class SandboxTrial {
    private static final String NAME = "doctor";

    List<HostFact> run() {
        List<HostFact> facts = new ArrayList<>();
        try {
            var place = StateDirectories.throwAway(Optional.empty(), RegistrySettings.DEFAULT);
            try (Sandboxes sandboxes = place.sandboxes()) {
                sandboxes.probes().forEach(p -> facts.add(fact(p)));
                facts.add(behindADoor(sandboxes, place.directories()));
            }
        } catch (SandboxException | ConfigException e) {
            facts.add(
                    HostFact.fatal(
                            "sandbox", String.valueOf(e.getMessage()), "see the facts above"));
        }
        return facts;
    }

    private static HostFact fact(RuntimeProbe probe) {
        String name = "runtime " + probe.runtime().program();
        return probe.works()
                ? HostFact.ok(name, "starts a hardened sandbox; in use")
                : HostFact.warn(name, probe.explanation(), "another runtime is used");
    }

    private static HostFact behindADoor(Sandboxes sandboxes, StateDirectories directories) {
        long start = System.nanoTime();
        try (Doors doors = Doors.open(EgressConfig.at(directories.doors()));
                Door door = doors.open(NAME, EgressPolicy.DENY_ALL);
                Sandbox sandbox =
                        sandboxes.create(
                                new SandboxSpec(
                                        NAME,
                                        Template.BASE,
                                        List.of(),
                                        Optional.of(door.networkNamespace()),
                                        Limits.DEFAULT,
                                        Map.of()))) {
            long millis = (System.nanoTime() - start) / 1_000_000;
            return HostFact.ok(
                    "sandbox",
                    "started behind a door in "
                            + millis
                            + " ms; seen from inside: "
                            + sandbox.attestation().mounts().size()
                            + " mounts, CapEff "
                            + sandbox.attestation().state().get("CapEff")
                            + ", seccomp mode "
                            + sandbox.attestation().state().get("Seccomp"));
        } catch (EgressException e) {
            return HostFact.fatal(
                    "door",
                    String.valueOf(e.getMessage()),
                    "a kernel with nf_tables and its tproxy: modprobe -a nf_tables nft_tproxy"
                            + " nft_reject_inet");
        } catch (SandboxException e) {
            return HostFact.fatal("sandbox", String.valueOf(e.getMessage()), "see the facts above");
        }
    }
}
