package dev.glovebox.sandbox.oci;

import java.util.List;

/// Who pid 1 of a sandbox, and with it every command, is.
///
/// Ids and capabilities hold in the sandbox's own user namespace: uid 0 there is nobody on the
/// host, and a capability there is one over what belongs to the sandbox.
///
/// @param id user and group
/// @param capabilities by name, such as `CAP_CHOWN`; all a process of that id can ever have
/// @param tracing whether debuggers work: `ptrace(2)` and reading another process's memory
public record Privileges(int id, List<String> capabilities, boolean tracing) {
    /// Names by bit, `capabilities(7)`.
    private static final List<String> NAMES =
            List.of(
                    "CAP_CHOWN",
                    "CAP_DAC_OVERRIDE",
                    "CAP_DAC_READ_SEARCH",
                    "CAP_FOWNER",
                    "CAP_FSETID",
                    "CAP_KILL",
                    "CAP_SETGID",
                    "CAP_SETUID",
                    "CAP_SETPCAP",
                    "CAP_LINUX_IMMUTABLE",
                    "CAP_NET_BIND_SERVICE",
                    "CAP_NET_BROADCAST",
                    "CAP_NET_ADMIN",
                    "CAP_NET_RAW",
                    "CAP_IPC_LOCK",
                    "CAP_IPC_OWNER",
                    "CAP_SYS_MODULE",
                    "CAP_SYS_RAWIO",
                    "CAP_SYS_CHROOT",
                    "CAP_SYS_PTRACE",
                    "CAP_SYS_PACCT",
                    "CAP_SYS_ADMIN",
                    "CAP_SYS_BOOT",
                    "CAP_SYS_NICE",
                    "CAP_SYS_RESOURCE",
                    "CAP_SYS_TIME",
                    "CAP_SYS_TTY_CONFIG",
                    "CAP_MKNOD",
                    "CAP_LEASE",
                    "CAP_AUDIT_WRITE",
                    "CAP_AUDIT_CONTROL",
                    "CAP_SETFCAP");

    /// The agent: uid 1000 that can do nothing special.
    public static final Privileges AGENT = new Privileges(1000, List.of(), false);

    /// Root over the files of its sandbox, as a package manager needs it. Nothing over mounts,
    /// network, devices or other processes' memory.
    public static final Privileges CONTAINER_ROOT =
            new Privileges(
                    0,
                    List.of(
                            "CAP_CHOWN",
                            "CAP_DAC_OVERRIDE",
                            "CAP_FOWNER",
                            "CAP_FSETID",
                            "CAP_KILL",
                            "CAP_SETGID",
                            "CAP_SETUID",
                            "CAP_SETPCAP",
                            "CAP_NET_BIND_SERVICE",
                            "CAP_SETFCAP"),
                    true);

    /// Root of gVisor's kernel: namespaces, mounts and containers inside it.
    public static final Privileges KERNEL_ROOT =
            new Privileges(
                    0,
                    List.of(
                            "CAP_CHOWN",
                            "CAP_DAC_OVERRIDE",
                            "CAP_DAC_READ_SEARCH",
                            "CAP_FOWNER",
                            "CAP_FSETID",
                            "CAP_KILL",
                            "CAP_SETGID",
                            "CAP_SETUID",
                            "CAP_SETPCAP",
                            "CAP_NET_BIND_SERVICE",
                            "CAP_SYS_CHROOT",
                            "CAP_SYS_PTRACE",
                            "CAP_SYS_ADMIN",
                            "CAP_MKNOD",
                            "CAP_AUDIT_WRITE",
                            "CAP_SETFCAP"),
                    true);

    public Privileges {
        capabilities = List.copyOf(capabilities);
        if (!NAMES.containsAll(capabilities)) {
            throw new IllegalArgumentException("not all known: " + capabilities);
        }
    }

    /// The capabilities as the kernel writes a set of them in `/proc/PID/status`, one bit each.
    public long mask() {
        return capabilities.stream().mapToLong(name -> 1L << NAMES.indexOf(name)).sum();
    }
}
