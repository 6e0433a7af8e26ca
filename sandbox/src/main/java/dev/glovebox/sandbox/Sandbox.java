package dev.glovebox.sandbox;

import dev.glovebox.linux.Cgroup;
import dev.glovebox.sandbox.guest.Guest;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;

/// A running sandbox. It ends when it is closed, when its worker dies, or when its pid 1 is killed
/// for want of memory.
///
/// Inside, the agent is uid and gid 1000 with home `/home/agent`; it can write there, in `/tmp`
/// (both in memory, gone at the end), in `/dev/shm` and in the mounts it was given, and nowhere
/// else. Thread-safe.
public final class Sandbox implements AutoCloseable {
    private final SandboxSpec spec;
    private final Guest guest;
    private final Attestation attestation;
    private final Cgroup group;
    private final Runnable end;
    private final AtomicBoolean closed = new AtomicBoolean();

    Sandbox(SandboxSpec spec, Guest guest, Attestation attestation, Cgroup group, Runnable end) {
        this.spec = spec;
        this.guest = guest;
        this.attestation = attestation;
        this.group = group;
        this.end = end;
    }

    /// As in its [SandboxSpec].
    public String name() {
        return spec.name();
    }

    /// Its inside: processes and files.
    public Guest guest() {
        return guest;
    }

    /// What it was seen to be before its first command.
    public Attestation attestation() {
        return attestation;
    }

    /// The environment to start commands with: `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL`, `LANG`,
    /// `TMPDIR`, and over them what the [SandboxSpec] says. [Guest#start] itself inherits nothing.
    public Map<String, String> environment() {
        Map<String, String> environment = new TreeMap<>();
        environment.put("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
        environment.put("HOME", "/home/agent");
        environment.put("USER", "agent");
        environment.put("LOGNAME", "agent");
        environment.put("SHELL", "/bin/bash");
        environment.put("LANG", "C.UTF-8");
        environment.put("TMPDIR", "/tmp");
        environment.putAll(spec.environment());
        return environment;
    }

    /// Bytes of memory in use inside, files in `/tmp` and `/home/agent` included.
    public long memoryUsed() {
        return group.memoryUsed();
    }

    /// How many processes the kernel has killed here for want of memory. One more after a command
    /// than before it means that the command ran out of memory.
    public long oomKills() {
        return group.oomKills();
    }

    /// Processes and threads inside now.
    public long tasks() {
        return group.tasks();
    }

    Cgroup group() {
        return group;
    }

    Set<Integer> processes() {
        return group.processes();
    }

    /// Ends every process inside and removes all traces on the host. Waits until that is so, up to
    /// ten seconds. A second call does nothing.
    ///
    /// @throws SandboxException [SandboxException.Band#HOST] if a process cannot be ended
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            guest.close();
            end.run();
        }
    }
}
