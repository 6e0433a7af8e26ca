package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.HeldFile;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.linux.mount.MountNamespace;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.root.Stage;
import java.io.File;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Where one OCI runtime is started: what it and this program need of the host's mounts, and the
/// runtime itself.
///
/// crun and runc copy themselves and start the copy, lest a container overwrites the program of the
/// host through `/proc/self/exe` (CVE-2019-5736), at every start. They do not if they are a sealed
/// copy in memory already, so they are given one, made once. Where the host lets no program run
/// from memory, they do as ever.
public final class RuntimeHome implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(RuntimeHome.class.getName());
    private static final List<String> WHOLE = List.of("/proc", "/sys", "/dev");
    private static final List<String> NEEDED =
            List.of("/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc", "/run", "/tmp");

    private final MountNamespace mounts;
    private final Path place;
    private final Path program;
    private final Optional<HeldFile> sealed;

    private RuntimeHome(
            MountNamespace mounts, Path place, Path program, Optional<HeldFile> sealed) {
        this.mounts = mounts;
        this.place = place;
        this.program = program;
        this.sealed = sealed;
    }

    /// Makes one.
    ///
    /// @param state directory the runtime uses
    /// @param hidden a mount the runtime must not see
    /// @throws LinuxException when the kernel refuses
    public static RuntimeHome of(
            RuntimeName runtime, Path program, Path state, Optional<Path> hidden) {
        List<Path> needed = needed(program, state);
        Path place =
                Stage.place(needed)
                        .orElseThrow(() ->
                                new SandboxException(
                                        Band.HOST,
                                        "no directory of /mnt, /media, /srv, /opt is free of: "
                                                + needed));
        MountNamespace mounts =
                MountNamespace.of(mount ->
                        hidden.filter(Path.of(mount.target())::equals).isEmpty()
                                && isKept(mount, needed, state));
        Optional<HeldFile> sealed =
                runtime == RuntimeName.RUNSC ? Optional.empty() : sealed(program);
        return new RuntimeHome(mounts, place, program, sealed);
    }

    private static Optional<HeldFile> sealed(Path program) {
        try {
            return Optional.of(HeldFile.sealedCopy(program));
        } catch (LinuxException e) {
            LOG.log(
                    Level.INFO,
                    "no program runs from memory on this host, so {0} copies itself at every start:"
                            + " {1}",
                    program,
                    e.getMessage());
            return Optional.empty();
        }
    }

    /// Classes are loaded by the thread that starts a runtime, so it must find them.
    private static List<Path> needed(Path program, Path state) {
        List<Path> needed = new ArrayList<>(List.of(program, state));
        NEEDED.forEach(each -> needed.add(Path.of(each)));
        needed.add(Path.of(System.getProperty("java.home")));
        Stream.of("java.class.path", "jdk.module.path")
                .flatMap(name ->
                        Stream.of(System.getProperty(name, "").split(File.pathSeparator, -1)))
                .filter(entry -> !entry.isEmpty())
                .map(entry -> Path.of(entry).toAbsolutePath().normalize())
                .forEach(needed::add);
        return needed;
    }

    private static boolean isKept(MountInfo mount, List<Path> needed, Path state) {
        Path target = Path.of(mount.target());
        return needed.stream().anyMatch(path -> path.startsWith(target))
                || target.startsWith(state)
                || WHOLE.stream().anyMatch(target::startsWith);
    }

    /// Takes the calling thread, of [dev.glovebox.linux.KernelThread], there for good.
    public void enter() {
        mounts.enterCopy();
    }

    /// A directory there under which a root can be put together.
    public Path place() {
        return place;
    }

    /// The runtime.
    public Path program() {
        return sealed.map(HeldFile::path).orElse(program);
    }

    @Override
    public void close() {
        mounts.close();
        sealed.ifPresent(HeldFile::close);
    }
}
