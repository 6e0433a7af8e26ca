package dev.glovebox.sandbox;

import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.UserNamespace;
import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.linux.disk.BlockDevice;
import dev.glovebox.linux.mount.LateMounts;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.launch.GroupLimits;
import dev.glovebox.sandbox.launch.HostFacts;
import dev.glovebox.sandbox.launch.Inspection;
import dev.glovebox.sandbox.launch.Order;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;

/// Gives a running sandbox what is its session's: mounts, limits, and, when both have been seen to
/// be as they must, the second layer behind the mounts ([WritablePlaces]), after which nothing can
/// be changed any more.
///
/// @param order it was started by
/// @param firstHostId where id 0 of the sandbox is on the host
/// @param ids of the sandbox, for the owners in its mounts
record Binder(Order order, Guest guest, Cgroup group, long firstHostId, UserNamespace ids) {
    private static final Once UNLIMITED =
            new Once("limits.disk-rate is not in force on this host: {0}");

    /// A warning that is given once by this process.
    private record Once(String text, AtomicBoolean told) {
        Once(String text) {
            this(text, new AtomicBoolean());
        }

        void tell(String reason) {
            if (told.compareAndSet(false, true)) {
                System.getLogger(Binder.class.getName()).log(Level.WARNING, text, reason);
            }
        }
    }

    /// The last step of every start, here and in [#bind].
    Attestation confine(SandboxSpec spec, Attestation seen) {
        Map<String, String> state = new TreeMap<>(seen.state());
        state.put("landlock", WritablePlaces.of(spec).confine(guest, seen.runtime()));
        return new Attestation(seen.runtime(), state, seen.mounts(), seen.took());
    }

    /// Makes of the sandbox what this specification says.
    ///
    /// @param added those of its mounts that are not there yet
    /// @param started as it was attested when it started
    /// @param init its pid 1 as the host sees it
    /// @throws SandboxException after which the sandbox is of no use
    Attestation bind(SandboxSpec spec, List<Mount> added, Attestation started, int init) {
        try {
            mount(added, started, init);
            group.limit(
                    spec.limits().memoryBytes(),
                    spec.limits().cpus(),
                    GroupLimits.of(started.runtime(), spec.limits()).tasks());
            limitDisks(spec);
            Order session = order.with(spec);
            Inspection inspection =
                    new Inspection(session, started.runtime(), firstHostId, guest, group);
            return confine(spec, inspection.attest());
        } catch (LinuxException | IOException | GuestException | IllegalStateException e) {
            throw new SandboxException(
                    Band.HOST, "cannot bind sandbox " + spec.name() + ": " + e.getMessage(), e);
        }
    }

    /// Slows the disks down that can be written to, as far as this host can; it says so once if it
    /// cannot.
    void limitDisks(SandboxSpec spec) {
        long rate = spec.limits().diskRate();
        if (rate == 0) {
            return;
        }
        for (Mount mount : spec.mounts()) {
            if (!mount.readOnly()) {
                BlockDevice.under(mount.source())
                        .ifPresentOrElse(
                                device -> limitDisk(device, rate),
                                () -> UNLIMITED.tell("no block device is under " + mount.source()));
            }
        }
    }

    private void limitDisk(String device, long rate) {
        try {
            group.limitDisk(device, rate);
        } catch (IOException e) {
            UNLIMITED.tell(e.toString());
        }
    }

    private void mount(List<Mount> added, Attestation started, int init) {
        List<LateMounts.Entry> entries =
                added.stream()
                        .map(m -> new LateMounts.Entry(m.source(), m.target(), m.readOnly()))
                        .toList();
        if (entries.isEmpty()) {
            return;
        }
        String namespace = started.state().getOrDefault("ns/mnt", "");
        LateMounts.attach(init, namespace, entries, ids);
    }

    /// The first process in the mount namespace that pid 1 was seen to have. Right after the start
    /// a process of the runtime may still be leaving the group, from another namespace.
    int first(String namespace) {
        return group.processes().stream()
                .filter(pid -> HostFacts.mountNamespace(pid).equals(namespace))
                .findFirst()
                .orElseThrow(() ->
                        new SandboxException(Band.HOST, "no process is left in " + group.path()));
    }
}
