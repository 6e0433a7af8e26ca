package dev.glovebox.sandbox;

import dev.glovebox.linux.ChildProcess;
import dev.glovebox.linux.HeldFile;
import dev.glovebox.linux.IpcNamespace;
import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.linux.cgroup.Cgroups;
import dev.glovebox.linux.cgroup.LegacyCgroup;
import dev.glovebox.linux.cgroup.UnifiedCgroup;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestLimits;
import dev.glovebox.sandbox.launch.GroupLimits;
import dev.glovebox.sandbox.launch.GuestListener;
import dev.glovebox.sandbox.launch.IdBlocks;
import dev.glovebox.sandbox.launch.Inspection;
import dev.glovebox.sandbox.launch.Order;
import dev.glovebox.sandbox.launch.ProcessLimits;
import dev.glovebox.sandbox.launch.RuntimeHome;
import dev.glovebox.sandbox.oci.GvisorCommand;
import dev.glovebox.sandbox.oci.OciConfig;
import dev.glovebox.sandbox.oci.OciSpec;
import dev.glovebox.sandbox.oci.RuntimeCommand;
import dev.glovebox.sandbox.root.BaseRoot;
import dev.glovebox.sandbox.root.Sources;
import dev.glovebox.sandbox.root.Stage;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// One start of one sandbox, from specification to attested guest.
///
/// ```
/// worker thread                     kernel thread                  runtime        pid 1 inside
/// listen on a socket of its own
///                                   take what of the host is shown
///                                   own copy of a small mount table
///                                   assemble the root
///                                   start: init --dial, becomes -> joins and makes
/// accept one, unlink                ends                           namespaces, -> HELLO
/// read HELLO and mounts, compare                                   exits 0
/// ```
///
/// The runtime's exit is awaited only after the attestation, since it still writes its records
/// while pid 1 already answers.
///
/// With crun and runsc on version 1 control groups the process is born in its group
/// ([LegacyCgroup]); with runsc on version 2 it moves there before it becomes the runtime
/// ([UnifiedCgroup]); else the runtime makes the group and moves it there. To move costs a grace
/// period of the kernel.
///
/// gVisor is started inside the sandbox's user namespace ([GvisorCommand]), and its bundle and
/// records lie in the memory of the stage, where its ids may enter. Its own threads count as
/// processes of the group, so it gets more of them ([GroupLimits]).
///
/// Its output is a pipe, never a file or device of the host: crun gives the agent ownership of what
/// it finds there, and with `/dev/null` that is the one of the host.
final class Launch implements AutoCloseable {

    private static final int LOG_CHARACTERS = 600;

    private static final Map<String, String> RUNTIME_ENVIRONMENT =
            Map.of("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");

    private final StateDirectory state;
    private final BaseRoot base;
    private final Cgroups cgroups;
    private final Runtimes.Installed runtime;
    private final Duration timeout;
    private final boolean ownKernel;
    private final boolean ownGroup;
    private final RuntimeHome home;

    Launch(
            StateDirectory state,
            BaseRoot base,
            Cgroups cgroups,
            Runtimes.Installed runtime,
            Duration timeout) {
        this.state = state;
        this.base = base;
        this.cgroups = cgroups;
        this.runtime = runtime;
        this.timeout = timeout;
        this.ownKernel = runtime.name() == RuntimeName.RUNSC;
        this.ownGroup = ownKernel || (runtime.name() == RuntimeName.CRUN && cgroups.legacy());
        this.home =
                RuntimeHome.of(
                        runtime.name(),
                        runtime.program(),
                        state.path(),
                        runtime.name() == RuntimeName.CRUN
                                ? cgroups.hybridTree()
                                : Optional.empty());
    }

    @Override
    public void close() {
        home.close();
    }

    RuntimeName runtime() {
        return runtime.name();
    }

    /// A guest and what it was seen to be.
    record Started(Guest guest, Attestation attestation) {}

    /// Starts it. On failure the caller removes what there is of it.
    ///
    /// @throws SandboxException saying why it did not start, or what it is not
    Started run(Order order, IdBlocks.Block block) {
        SandboxSpec spec = order.spec();
        try (GuestListener listener = GuestListener.bind(state.socket(block));
                Network network = Network.of(spec)) {
            Files.createDirectories(state.bundle(spec.name()));
            try (ChildProcess process =
                    KernelThread.call(
                            "start-" + spec.name(), () -> spawn(order, block, network.path()))) {
                Guest guest = guest(spec, listener, process);
                try {
                    Inspection inspection =
                            new Inspection(
                                    order,
                                    runtime.name(),
                                    block.firstHostId(),
                                    guest,
                                    state.group(spec.name()));
                    Attestation attestation = inspection.attest();
                    awaitExit(spec, process);
                    inspection.attestKernel();
                    limitIpc(spec, block);
                    return new Started(guest, attestation);
                } catch (SandboxException | GuestException e) {
                    guest.close();
                    throw e;
                }
            }
        } catch (LinuxException | IllegalStateException | IOException | GuestException e) {
            throw new SandboxException(
                    Band.HOST, "cannot start sandbox " + spec.name() + ": " + cause(e), e);
        }
    }

    /// The network namespace to join, by a path that is right wherever the runtime is.
    private record Network(Optional<HeldFile> file) implements AutoCloseable {
        static Network of(SandboxSpec spec) {
            return new Network(spec.networkNamespace().map(HeldFile::open));
        }

        Optional<Path> path() {
            return file.map(HeldFile::path);
        }

        @Override
        public void close() {
            file.ifPresent(HeldFile::close);
        }
    }

    private ChildProcess spawn(Order order, IdBlocks.Block block, Optional<Path> network)
            throws Exception {
        SandboxSpec spec = order.spec();
        List<Stage.Entry> entries =
                spec.mounts().stream()
                        .map(m -> new Stage.Entry(m.source(), m.target(), m.readOnly()))
                        .toList();
        try (Sources sources = Stage.take(order.plan(), base, entries)) {
            home.enter();
            Stage stage = new Stage(home.place(), base, ids(order, block), sources);
            Limits limits = spec.limits();
            stage.assemble(
                    order.plan(),
                    entries,
                    ownKernel
                            ? Optional.empty()
                            : Optional.of(
                                    new Stage.Scratch(limits.tmpBytes(), limits.homeBytes())));
            byte[] config = OciConfig.write(config(order, block, stage.root(), network));
            List<String> words;
            if (ownKernel) {
                stage.beside("state");
                Files.write(stage.beside("bundle").resolve("config.json"), config);
                words = kernelCommand(spec, block, network).words();
            } else {
                Path bundle = state.bundle(spec.name());
                Files.write(bundle.resolve("config.json"), config);
                words = command(spec, block, bundle).words();
            }
            return ownGroup
                    ? inGroup(order, words)
                    : ChildProcess.start(words, RUNTIME_ENVIRONMENT);
        }
    }

    private static Stage.Ids ids(Order order, IdBlocks.Block block) {
        int id = order.privileges().id();
        return new Stage.Ids(block.firstHostId(), id, block.namespace(), block.mounts(id == 0));
    }

    private ChildProcess inGroup(Order order, List<String> words) throws Exception {
        Cgroup group = state.group(order.spec().name());
        Limits limits = order.spec().limits();
        int tasks = GroupLimits.of(runtime.name(), limits).tasks();
        if (cgroups.legacy()) {
            return LegacyCgroup.create(group, limits.memoryBytes(), limits.cpus(), tasks)
                    .within(() -> ChildProcess.start(words, RUNTIME_ENVIRONMENT));
        }
        UnifiedCgroup made =
                UnifiedCgroup.create(group, limits.memoryBytes(), limits.cpus(), tasks);
        return ChildProcess.start(made.entering(words), RUNTIME_ENVIRONMENT);
    }

    private RuntimeCommand command(SandboxSpec spec, IdBlocks.Block block, Path bundle) {
        return new RuntimeCommand(
                base.init(),
                state.socket(block),
                home.program(),
                state.runtimeRoot(),
                bundle.resolve("log"),
                bundle,
                spec.name(),
                ownGroup);
    }

    private GvisorCommand kernelCommand(
            SandboxSpec spec, IdBlocks.Block block, Optional<Path> network) {
        return new GvisorCommand(
                base.init(),
                state.socket(block),
                block.namespace().path(),
                network,
                home.program(),
                runtime.platform(),
                home.place(),
                spec.name());
    }

    private OciSpec config(Order order, IdBlocks.Block block, Path root, Optional<Path> network) {
        SandboxSpec spec = order.spec();
        Limits limits = spec.limits();
        return new OciSpec(
                root,
                ownKernel || order.plan().writable().isPresent(),
                order.privileges(),
                block.firstHostId(),
                ownKernel,
                network,
                ownKernel ? submounts(order, root) : List.of(),
                new OciSpec.Resources(
                        state.group(spec.name()).path(),
                        limits.memoryBytes(),
                        limits.cpus(),
                        GroupLimits.of(runtime.name(), limits).tasks(),
                        limits.shmBytes(),
                        ProcessLimits.of(limits),
                        !ownKernel && IpcNamespace.setFromInside()
                                ? IpcNamespace.LIMITS
                                : Map.of()));
    }

    /// Named for gVisor once more, so that it does not take what is there for its own to cache.
    private static List<OciSpec.Submount> submounts(Order order, Path root) {
        Limits limits = order.spec().limits();
        int id = order.privileges().id();
        List<OciSpec.Submount> submounts = new ArrayList<>();
        submounts.add(memory("/tmp", "mode=1777", "size=" + limits.tmpBytes()));
        submounts.add(
                memory(
                        "/home/agent",
                        "mode=755",
                        "size=" + limits.homeBytes(),
                        "uid=" + id,
                        "gid=" + id));
        for (Mount mount : order.spec().mounts()) {
            submounts.add(
                    new OciSpec.Submount(
                            mount.target(),
                            "bind",
                            root + mount.target(),
                            List.of("rbind", mount.readOnly() ? "ro" : "rw", "nosuid", "nodev")));
        }
        return submounts;
    }

    private static OciSpec.Submount memory(String target, String... options) {
        List<String> all = new ArrayList<>(List.of("nosuid", "nodev"));
        all.addAll(List.of(options));
        return new OciSpec.Submount(target, "tmpfs", "tmpfs", all);
    }

    private Guest guest(SandboxSpec spec, GuestListener listener, ChildProcess process) {
        try {
            SocketChannel channel =
                    listener.accept(timeout, () -> process.waitFor(Duration.ZERO).orElse(0) != 0);
            GuestLimits limits = new GuestLimits(timeout, GuestLimits.DEFAULT.streamBytes());
            return Guest.over(channel, limits);
        } catch (IOException | GuestException e) {
            throw failed(spec, process, e);
        }
    }

    private void awaitExit(SandboxSpec spec, ChildProcess process) {
        OptionalInt exit = process.waitFor(timeout);
        if (exit.isEmpty() || exit.getAsInt() != 0) {
            throw failed(spec, process, new IOException("the runtime did not end well: " + exit));
        }
    }

    /// gVisor does not use System V IPC of the host.
    private void limitIpc(SandboxSpec spec, IdBlocks.Block block) {
        if (!ownKernel && !IpcNamespace.setFromInside()) {
            IpcNamespace.limit(state.group(spec.name()).processes(), block.firstHostId());
        }
    }

    private SandboxException failed(SandboxSpec spec, ChildProcess process, Exception cause) {
        return new SandboxException(
                Band.HOST,
                String.format(
                        Locale.ROOT,
                        "%s did not start sandbox %s: %s",
                        runtime.name().program(),
                        spec.name(),
                        explanation(spec, process, cause)),
                cause);
    }

    private String explanation(SandboxSpec spec, ChildProcess process, Exception cause) {
        try {
            String log = Files.readString(state.bundle(spec.name()).resolve("log")).strip();
            if (!log.isEmpty()) {
                return log.substring(Math.max(0, log.length() - LOG_CHARACTERS));
            }
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        String output = process.output().strip();
        return output.isEmpty() ? cause(cause) : output;
    }

    private static String cause(Exception e) {
        return e.getCause() == null ? e.getMessage() + "" : e.getMessage() + ": " + e.getCause();
    }
}
