package dev.glovebox.linux.mount;

import dev.glovebox.linux.Errno;
import dev.glovebox.linux.Libc;
import dev.glovebox.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// A mount of directories laid over one another, `overlayfs`.
///
/// Layers whose owners are shifted by their mount ([Mounts#bindMapped]) have a catch: overlayfs
/// does everything on them as whoever mounted it, and root of the host has no id in a shifted
/// mount, so the kernel would make the overlay read-only. Therefore the calling thread is, while it
/// mounts, the sandbox's root by its file system ids, `setfsuid(2)`, with the capabilities it had
/// (`capset(2)`, since a change of those ids takes the ones over files away). What is written lands
/// on disk with ids of the sandbox. Entering the sandbox's user namespace for it, the other way, is
/// denied to a process with more than one thread.
///
/// Markers of overlayfs are extended attributes `trusted.overlay.*`, which nobody inside a user
/// namespace can set, so no image and no agent can forge them. A lower layer can make a rename
/// point elsewhere (`redirect_dir`) or take data from another file (`metacopy`); both are off.
public final class Overlay {
    private static final String SAFE = "redirect_dir=nofollow,metacopy=off,index=off,xino=off";
    private static final int CAPABILITY_VERSION_3 = 0x2008_0522;
    private static final long CAPABILITY_DATA_BYTES =
            24; // two of effective, permitted, inheritable

    private static final MethodHandle SET_FILE_USER = idCall("setfsuid");
    private static final MethodHandle SET_FILE_GROUP = idCall("setfsgid");
    private static final MethodHandle CAPGET = capabilityCall("capget");
    private static final MethodHandle CAPSET = capabilityCall("capset");

    private Overlay() {}

    /// Where what is written goes.
    ///
    /// @param upper an existing directory, empty at first
    /// @param work an empty one in the same mount
    public record Writable(Path upper, Path work) {}

    /// Mounts it, nosuid and nodev.
    ///
    /// @param target an existing directory
    /// @param lowers directories, top first; at least two if nothing can be written. No path may
    ///   hold a colon, a comma or a backslash
    /// @param rootId what id 0 of the sandbox is on the host
    /// @throws LinuxException when the kernel refuses
    public static void mount(
            Path target, List<Path> lowers, Optional<Writable> writable, long rootId) {
        String lower = lowers.stream().map(Overlay::plain).collect(Collectors.joining(":"));
        String options =
                writable.map(w -> ",upperdir=" + plain(w.upper()) + ",workdir=" + plain(w.work()))
                        .orElse("");
        as(rootId, () -> Mounts.overlay(target, "lowerdir=" + lower + options + "," + SAFE));
    }

    private static String plain(Path path) {
        String text = path.toString();
        if (text.chars().anyMatch(c -> c == ':' || c == ',' || c == '\\')) {
            throw new IllegalArgumentException("not a path for overlayfs: " + text);
        }
        return text;
    }

    private static void as(long id, Runnable mount) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment header = arena.allocate(8, 4);
            header.set(ValueLayout.JAVA_INT, 0, CAPABILITY_VERSION_3);
            MemorySegment capabilities = arena.allocate(CAPABILITY_DATA_BYTES, 4);
            capability(arena, CAPGET, "capget", header, capabilities);
            fileIds(arena, (int) id);
            try {
                capability(arena, CAPSET, "capset", header, capabilities);
                mount.run();
            } finally {
                fileIds(arena, 0);
                capability(arena, CAPSET, "capset", header, capabilities);
            }
        }
    }

    /// Group first: without its capabilities the thread may not set it.
    private static void fileIds(Arena arena, int id) {
        MemorySegment capture = Libc.errnoCapture(arena);
        try {
            // SAFETY: no memory is passed; the calling thread alone changes.
            int _ = (int) SET_FILE_GROUP.invokeExact(capture, id);
            int _ = (int) SET_FILE_USER.invokeExact(capture, id);
            int now = (int) SET_FILE_USER.invokeExact(capture, -1); // answers what it is
            if (now != id) {
                throw new LinuxException("setfsuid", Errno.EPERM, String.valueOf(id));
            }
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static void capability(
            Arena arena, MethodHandle call, String name, MemorySegment header, MemorySegment data) {
        MemorySegment capture = Libc.errnoCapture(arena);
        try {
            // SAFETY: both structures have the size version 3 asks for and live in the arena.
            Libc.check((int) call.invokeExact(capture, header, data), capture, name, "thread");
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static MethodHandle idCall(String name) {
        return Libc.handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    }

    private static MethodHandle capabilityCall(String name) {
        return Libc.handle(
                name,
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    }
}
