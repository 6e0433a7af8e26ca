package dev.glovebox.sandbox;

import dev.glovebox.linux.Landlock;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.guest.Guest;
import java.util.ArrayList;
import java.util.List;

/// Where programs of one sandbox may write, as its pid 1 is told for Landlock.
///
/// Mounts and their flags are what decides; this is the second layer, in another part of the
/// kernel. It goes by paths as they are mounted at the moment, so it is put on once, when
/// everything is mounted, and before anything runs ([Guest#confine]).
///
/// @param paths inside; the first is a directory that can be written for sure
record WritablePlaces(List<String> paths) {
    /// The newest version of the interface that glovebox-init makes use of.
    private static final int NEWEST = 7;

    /// Version 1 cannot permit a rename from one directory to another, so it is not used.
    private static final int OLDEST = 2;

    /// What [Attestation#state] says where the second layer is not there.
    static final String NOT_OFFERED = "not offered by the kernel";

    static WritablePlaces of(SandboxSpec spec) {
        List<String> paths = new ArrayList<>(List.of("/tmp"));
        if (spec.template().writableRoot()) {
            paths.add("/");
        } else {
            paths.addAll(List.of("/home/agent", "/dev/shm"));
        }
        spec.mounts().stream().filter(m -> !m.readOnly()).map(Mount::target).forEach(paths::add);
        return new WritablePlaces(List.copyOf(paths));
    }

    /// Puts the second layer on, and refuses a sandbox that has it not although the kernel of the
    /// host does.
    ///
    /// @return the version in force, such as `7`, or [#NOT_OFFERED]
    /// @throws SandboxException [Band#MISMATCH]
    String confine(Guest guest, RuntimeName runtime) {
        int inForce = guest.confine(paths);
        int expected = expected(runtime, Landlock.offered());
        if (inForce != expected) {
            throw new SandboxException(
                    Band.MISMATCH,
                    "landlock inside is version " + inForce + ", must be " + expected);
        }
        return inForce == 0 ? NOT_OFFERED : String.valueOf(inForce);
    }

    /// gVisor is a kernel of its own, and has no Landlock.
    static int expected(RuntimeName runtime, int offered) {
        return runtime == RuntimeName.RUNSC || offered < OLDEST ? 0 : Math.min(offered, NEWEST);
    }
}
