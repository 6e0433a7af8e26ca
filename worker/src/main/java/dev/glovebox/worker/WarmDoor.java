package dev.glovebox.worker;

import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.pool.Network;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A door that was opened before its session was known: nothing passes it until it is given the
/// session's policy.
record WarmDoor(Door door, DoorCertificates certificates) implements Network {
    static WarmDoor open(Doors doors, String name, Template template) {
        Door door = doors.open(name, EgressPolicy.DENY_ALL);
        return new WarmDoor(door, DoorCertificates.of(door.trustFiles(), template));
    }

    @Override
    public List<Mount> mounts() {
        return certificates.mounts();
    }

    @Override
    public Map<String, String> environment() {
        return certificates.environment();
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
