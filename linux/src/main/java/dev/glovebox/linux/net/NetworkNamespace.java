package dev.glovebox.linux.net;

import dev.glovebox.linux.Errno;
import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.NamespaceCalls;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.Callable;

/// A network namespace with nothing but `lo`, in which every address on earth leads to us.
///
/// How it works. A route of type `local` for the whole address space makes the kernel of the
/// namespace deliver every packet to itself instead of looking for a way out, so no interface and
/// no neighbour is needed. A `tproxy` rule (nf_tables) then picks, for a TCP packet without an
/// established socket, our listening socket instead of the one the destination would choose. The
/// connection accepted there has the original destination as its local address. That socket was
/// made by a thread of ours inside the namespace, so accepting happens in this process, outside,
/// while whoever lives in the namespace has neither a way around it nor, the namespace being owned
/// by the initial user namespace, any capability over it.
///
/// What is not caught: `127.0.0.0/8` and `::1`, which are the namespace's own and lead nowhere
/// else.
///
/// The namespace is pinned by a bind mount of its nsfs file, so that a runtime can join it by path.
/// It ends when the pin is gone and the last process and socket in it are.
public final class NetworkNamespace implements AutoCloseable {
    private static final String OWN = "/proc/thread-self/ns/net";

    private final Path pin;
    private final CatchAll sockets;

    private NetworkNamespace(Path pin, CatchAll sockets) {
        this.pin = pin;
        this.sockets = sockets;
    }

    /// Makes the namespace, its routes, rules and sockets, and pins it.
    ///
    /// Needs root (`CAP_SYS_ADMIN`, `CAP_NET_ADMIN`) and a kernel with `nf_tables` and its
    /// `tproxy`.
    ///
    /// @param pin where to pin it; a file that does not exist yet, in a directory only root enters
    /// @throws LinuxException if a step fails; nothing is left behind then
    public static NetworkNamespace create(Path pin) {
        CatchAll sockets =
                KernelThread.call(
                        "netns-create",
                        () -> {
                            int home = NamespaceCalls.open(OWN);
                            try {
                                NamespaceCalls.unshareNetwork();
                                return openPinned(pin);
                            } finally {
                                NamespaceCalls.enter(home);
                                NamespaceCalls.close(home);
                            }
                        });
        return new NetworkNamespace(pin, sockets);
    }

    private static CatchAll openPinned(Path pin) {
        try {
            Files.createFile(
                    pin,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("r--------")));
        } catch (FileAlreadyExistsException e) {
            throw new LinuxException("creat", Errno.EEXIST, pin.toString());
        } catch (IOException e) {
            throw new LinuxException("creat", Errno.EIO, String.valueOf(e.getMessage()));
        }
        try {
            NamespaceCalls.bind(OWN, pin);
            return CatchAll.open();
        } catch (LinuxException e) {
            unpin(pin);
            throw e;
        }
    }

    /// The pin: a path that a runtime or `nsenter --net=` can join.
    public Path path() {
        return pin;
    }

    /// The sockets at which everything arrives. The caller takes over the descriptors and closes
    /// them.
    public CatchAll sockets() {
        return sockets;
    }

    /// Runs the task on a throw-away thread inside the namespace; the thread is led out again
    /// before anyone hears of the result, because waking a virtual thread may start a new carrier
    /// as a child of the waking thread.
    ///
    /// @throws LinuxException if the namespace cannot be entered, or as the task threw it
    public <T> T enter(Callable<T> task) {
        return KernelThread.call(
                "netns-enter",
                () -> {
                    int home = NamespaceCalls.open(OWN);
                    int inside = NamespaceCalls.open(pin.toString());
                    try {
                        NamespaceCalls.enter(inside);
                        return task.call();
                    } finally {
                        NamespaceCalls.enter(home);
                        NamespaceCalls.close(inside);
                        NamespaceCalls.close(home);
                    }
                });
    }

    /// Takes the pin away. Idempotent; the kernel frees the namespace when nobody uses it any more.
    @Override
    public void close() {
        unpin(pin);
    }

    /// Takes away a pin that an earlier life left, mounted or not; a path that does not exist is
    /// fine.
    public static void unpin(Path pin) {
        if (!Files.exists(pin)) {
            return;
        }
        while (NamespaceCalls.unbind(pin)) {
            // a second life may have mounted over the first
        }
        delete(pin);
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new LinuxException("unlink", Errno.EIO, String.valueOf(e.getMessage()));
        }
    }
}
