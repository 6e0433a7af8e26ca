package dev.glovebox.worker;

import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.pool.Network;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// A door that was opened before its session was known: nothing passes it until it is given the
/// session's policy.
record WarmDoor(Door door, List<Mount> mounts, Map<String, String> environment) implements Network {
    static WarmDoor open(Doors doors, String name, PlaceConfig config) {
        Door door = doors.open(name, EgressPolicy.DENY_ALL);
        DoorCertificates certificates = DoorCertificates.of(door.trustFiles(), config.template());
        return new WarmDoor(
                door,
                certificates.mounts(),
                DoorVariables.of(certificates, config.proxyVariables()));
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
