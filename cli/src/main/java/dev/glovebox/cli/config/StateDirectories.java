package dev.glovebox.cli.config;

import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.worker.operator.OperatorSocket;
import java.nio.file.Path;
import java.util.Optional;

/// Where a process of Glovebox keeps what it has on this host, below one data directory that is
/// made with mode 0700.
///
/// @param data such as `/var/lib/glovebox`
public record StateDirectories(Path data) {
    /// Where state goes unless the command line says otherwise.
    public static final String DEFAULT = "/var/lib/glovebox";

    /// Throw-away processes share numbered places, so that the next one in a place ends what a
    /// killed one left there.
    private static final int PLACES = 64;

    public StateDirectories {
        data = data.toAbsolutePath().normalize();
    }

    /// State of a worker's sandboxes.
    public Path sandboxes() {
        return data.resolve("sandboxes");
    }

    /// Layers of images and of prepared templates.
    public Path images() {
        return data.resolve("images");
    }

    /// State of a worker's doors.
    public Path doors() {
        return data.resolve("doors");
    }

    /// What sandboxes reached.
    public Path audit() {
        return data.resolve("audit");
    }

    /// The durable disks of sessions.
    public Path workspaces() {
        return data.resolve("workspaces");
    }

    /// The socket on which a worker listens for operators.
    public Path operator() {
        return OperatorSocket.in(data);
    }

    /// The control plane's store and `credentials.json`.
    public Path server() {
        return data;
    }

    /// State for a process that keeps nothing but images, with its sandboxes open.
    ///
    /// @throws SandboxException when this host cannot run sandboxes, or 64 such processes run
    ///   already
    public static ThrowAway throwAway(Optional<RuntimeName> runtime, RegistrySettings registries) {
        Path images = new StateDirectories(Path.of(DEFAULT)).images();
        for (int place = 0; place < PLACES; place++) {
            StateDirectories directories =
                    new StateDirectories(Path.of(DEFAULT, "run", Integer.toString(place)));
            try {
                return new ThrowAway(
                        directories,
                        Sandboxes.open(
                                new SandboxConfig(
                                        directories.sandboxes(),
                                        runtime,
                                        SandboxConfig.DEFAULT_START_TIMEOUT,
                                        registries.at(images))));
            } catch (SandboxException e) {
                if (e.band() != SandboxException.Band.CALLER) {
                    throw e;
                }
            }
        }
        throw new ConfigException(
                "all " + PLACES + " places in " + DEFAULT + "/run are in use: wait for one to end");
    }

    /// A place of a process that keeps nothing.
    public record ThrowAway(StateDirectories directories, Sandboxes sandboxes) {}
}
