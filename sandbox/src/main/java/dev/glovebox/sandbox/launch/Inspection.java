package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.sandbox.Attestation;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.oci.SeccompRules;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Looks at one sandbox from inside, and at its control group, and refuses it if anything is not as
/// it was ordered.
///
/// @param runtime it runs under
/// @param firstHostId where id 0 of the sandbox is on the host
/// @param guest its inside
/// @param group its control group
public record Inspection(
        Order order, RuntimeName runtime, long firstHostId, Guest guest, Cgroup group) {
    private static final int PROC_BYTES = 256 * 1024;

    /// Looks, before anything runs.
    ///
    /// @throws SandboxException [Band#MISMATCH] naming all that is wrong
    public Attestation attest() {
        long start = System.nanoTime();
        List<MountInfo> mounts = MountInfo.parse(read("/proc/self/mountinfo"));
        Attestor attestor =
                new Attestor(
                        HostFacts.namespaces(),
                        network(),
                        MountTable.of(
                                order.plan(),
                                order.spec().mounts(),
                                HostFacts.masked(),
                                MountTable.readOnlyHere(),
                                ownKernel()),
                        new Attestor.Expected(
                                order.privileges(),
                                SeccompRules.of(order.privileges(), ownKernel()).isPresent(),
                                firstHostId,
                                ProcessLimits.said(order.spec().limits()),
                                ownKernel()));
        List<String> mismatches =
                attestor.mismatches(
                        new Attestor.Seen(
                                guest.hello(),
                                mounts,
                                read("/proc/net/dev"),
                                ownKernel() ? read("/proc/version") : "",
                                empty()));
        mismatches.addAll(GroupLimits.of(runtime, order.spec().limits()).mismatches(group));
        refuse(mismatches);
        return new Attestation(
                runtime, guest.hello(), mounts, Duration.ofNanos(System.nanoTime() - start));
    }

    /// Of the directories that are masked those that are empty.
    private Set<String> empty() {
        Set<String> empty = new TreeSet<>();
        for (String path : ownKernel() ? List.<String>of() : HostFacts.maskedDirectories()) {
            if (guest.list(path, 1).isEmpty()) {
                empty.add(path);
            }
        }
        return empty;
    }

    /// Looks at the processes of gVisor on the host, once the program that starts it has ended, so
    /// that only what stays is looked at. Of other runtimes nothing stays.
    ///
    /// @throws SandboxException [Band#MISMATCH] naming all that is wrong
    public void attestKernel() {
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
