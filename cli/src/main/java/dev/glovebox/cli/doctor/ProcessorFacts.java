package dev.glovebox.cli.doctor;

import java.nio.file.Path;
import java.util.List;

/// What the kernel says of the processor as a wall between those who share it.
final class ProcessorFacts {
    private static final String PROCESSORS = "sys/devices/system/cpu/";
    private static final String VULNERABILITIES = PROCESSORS + "vulnerabilities";

    private final HostFiles host;

    ProcessorFacts(Path root) {
        this.host = new HostFiles(root);
    }

    List<HostFact> collect() {
        return List.of(mitigations(), threads());
    }

    private HostFact mitigations() {
        List<String> known = host.names(VULNERABILITIES);
        if (known.isEmpty()) {
            return HostFact.warn(
                    "mitigations",
                    "unknown",
                    "the kernel does not say what it does against its processor's faults");
        }
        List<String> open =
                known.stream()
                        .filter(name ->
                                host.read(VULNERABILITIES + "/" + name).startsWith("Vulnerable"))
                        .toList();
        return open.isEmpty()
                ? HostFact.ok("mitigations", "no known fault of the processor is open")
                : HostFact.warn(
                        "mitigations",
                        "open: " + String.join(" ", open),
                        "by these a program may read memory of others, also from a sandbox: newer"
                                + " microcode, a newer kernel, and no mitigations=off");
    }

    private HostFact threads() {
        return "1".equals(host.read(PROCESSORS + "smt/active"))
                ? HostFact.hint(
                        "smt",
                        "on",
                        "the threads of a core share its caches: for tenants who do not trust one"
                                + " another, boot with nosmt")
                : HostFact.ok("smt", "off");
    }
}
