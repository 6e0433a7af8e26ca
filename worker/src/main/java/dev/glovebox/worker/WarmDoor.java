package dev.glovebox.worker;

import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.pool.Network;
import java.nio.file.Path;

/// A door that was opened before its session was known: nothing passes it until it is given the
/// session's policy.
record WarmDoor(Door door) implements Network {
    static WarmDoor open(Doors doors, String name) {
        return new WarmDoor(doors.open(name, EgressPolicy.DENY_ALL));
    }

    @Override
    public Path namespace() {
        return door.networkNamespace();
    }

    @Override
    public void close() {
        door.close();
    }
}
