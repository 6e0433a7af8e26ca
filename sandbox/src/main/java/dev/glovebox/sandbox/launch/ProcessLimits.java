package dev.glovebox.sandbox.launch;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.oci.OciConfig;
import java.util.Map;
import java.util.TreeMap;

/// What each process of a sandbox is limited to by itself, `getrlimit(2)`, as far as this process
/// may give it.
public final class ProcessLimits {
    /// With 0 no file is written, but a host that pipes crashes to a program still runs it, as root
    /// (`core(5)`). With 1 the kernel does neither (`do_coredump`). Nobody inside can change it
    /// ([dev.glovebox.sandbox.oci.SeccompRules]).
    private static final long CORE_BYTES = 1;

    private static final long LOCKED_BYTES = 8L << 20;
    private static final long STACK_BYTES = 8L << 20;
    private static final long PENDING_SIGNALS = 4096;
    private static final String PREFIX = "RLIMIT_";

    private ProcessLimits() {}

    /// Hard limits by their names, such as `RLIMIT_CORE`.
    public static Map<String, Long> of(Limits limits) {
        return Map.of(
                "RLIMIT_NOFILE", HostFacts.atMost("Max open files", limits.openFiles()),
                "RLIMIT_FSIZE", HostFacts.atMost("Max file size", limits.fileBytes()),
                "RLIMIT_MEMLOCK", HostFacts.atMost("Max locked memory", LOCKED_BYTES),
                "RLIMIT_SIGPENDING", HostFacts.atMost("Max pending signals", PENDING_SIGNALS),
                "RLIMIT_STACK", HostFacts.atMost("Max stack size", STACK_BYTES),
                "RLIMIT_CORE", HostFacts.atMost("Max core file size", CORE_BYTES),
                "RLIMIT_MSGQUEUE", 0L,
                "RLIMIT_NICE", 0L,
                "RLIMIT_RTPRIO", 0L);
    }

    /// What pid 1 must say of them, soft and hard, by the keys of its greeting.
    static Map<String, String> said(Limits limits) {
        Map<String, String> said = new TreeMap<>();
        of(limits)
                .forEach((name, most) -> {
                    String key = "rlimit/" + name.substring(PREFIX.length());
                    said.put(key, OciConfig.softLimit(name, most) + " " + most);
                });
        return said;
    }
}
