package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.MountInfo;
import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.sandbox.Attestation;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.oci.SeccompRules;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Looks at one sandbox from inside, and at its control group, and refuses it if anything is not as
/// it was ordered.
///
/// @param runtime it runs under
/// @param guest its inside
/// @param group its control group
public record Inspection(Order order, RuntimeName runtime, Guest guest, Cgroup group) {
    /// Threads of gVisor's own, 30 to 50 at rest, which count as processes of the sandbox.
    private static final int KERNEL_TASKS = 96;

    private static final int PROC_BYTES = 256 * 1024;

    /// Processes and threads the control group is to allow.
    public static int tasks(RuntimeName runtime, Limits limits) {
        return runtime == RuntimeName.RUNSC ? limits.pids() + KERNEL_TASKS : limits.pids();
    }

    /// Looks, before anything runs.
    ///
    /// @throws SandboxException [Band#MISMATCH] naming all that is wrong
    public Attestation attest() {
        List<MountInfo> mounts = MountInfo.parse(read("/proc/self/mountinfo"));
        Attestor attestor =
                new Attestor(
                        HostFacts.namespaces(),
                        network(),
                        order.spec().mounts(),
                        HostFacts.masked(),
                        new Attestor.Expected(
                                order.privileges(),
                                SeccompRules.of(order.privileges(), ownKernel()).isPresent(),
                                order.plan().host(),
                                order.plan().writable().isPresent(),
                                ownKernel()));
        List<String> mismatches =
                attestor.mismatches(
                        new Attestor.Seen(
                                guest.hello(),
                                mounts,
                                read("/proc/net/dev"),
                                ownKernel() ? read("/proc/version") : ""));
        mismatches.addAll(limits());
        refuse(mismatches);
        return new Attestation(runtime, guest.hello(), mounts);
    }

    /// Looks at the processes of gVisor on the host, once the program that starts it has ended, so
    /// that only what stays is looked at. Of other runtimes nothing stays.
    ///
    /// @param firstHostId where id 0 of the sandbox is on the host
    /// @throws SandboxException [Band#MISMATCH] naming all that is wrong
    public void attestKernel(long firstHostId) {
        if (ownKernel()) {
            Set<String> writable = new TreeSet<>();
            order.spec().mounts().stream()
                    .filter(mount -> !mount.readOnly())
                    .forEach(mount -> writable.add(mount.target()));
            if (order.plan().writable().isPresent()) {
                writable.add("/");
            }
            Sentry sentry = new Sentry(firstHostId, HostFacts.namespaces(), network(), writable);
            refuse(sentry.mismatches(group.processes()));
        }
    }

    private boolean ownKernel() {
        return runtime == RuntimeName.RUNSC;
    }

    private Optional<String> network() {
        return order.spec().networkNamespace().map(HostFacts::namespaceLink);
    }

    private String read(String path) {
        return new String(guest.readProc(path, PROC_BYTES), StandardCharsets.UTF_8);
    }

    /// The one thing that is seen from outside: pid 1 cannot read the limits it is under.
    private List<String> limits() {
        List<String> found = new ArrayList<>();
        Limits limits = order.spec().limits();
        if (group.tasks() < 1 || group.memoryUsed() == 0) {
            found.add("control group " + group.path() + " is empty");
        }
        long memory = group.memoryLimit();
        if (memory <= 0 || memory > limits.memoryBytes()) {
            found.add("memory limit is " + memory + ", must be " + limits.memoryBytes());
        }
        long wanted = tasks(runtime, limits);
        if (group.tasksLimit() != wanted) {
            found.add("process limit is " + group.tasksLimit() + ", must be " + wanted);
        }
        return found;
    }

    private void refuse(List<String> mismatches) {
        if (!mismatches.isEmpty()) {
            throw new SandboxException(
                    Band.MISMATCH,
                    String.format(
                            Locale.ROOT,
                            "sandbox %s under %s is not what it must be: %s",
                            order.spec().name(),
                            runtime.program(),
                            mismatches));
        }
    }
}
