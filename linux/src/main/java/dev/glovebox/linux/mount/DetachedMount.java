package dev.glovebox.linux.mount;

import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.NamespaceCalls;
import dev.glovebox.linux.UserNamespace;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/// A copy of a part of the calling thread's file tree, mounted nowhere yet (`open_tree(2)`, Linux
/// 5.2). A thread can take it along into another mount namespace and attach it there.
///
/// Its flags are set, recursively, before it is attached: at no instant is it visible with weaker
/// ones, and a mount below the source cannot keep flags of its own.
public final class DetachedMount implements AutoCloseable {
    private final Path source;
    private final int tree;

    private DetachedMount(Path source, int tree) {
        this.source = source;
        this.tree = tree;
    }

    /// Takes a file or a directory with everything mounted below it.
    ///
    /// @param source what to show; a last symbolic link is followed
    /// @throws LinuxException if it is not there
    public static DetachedMount of(Path source) {
        try (Arena arena = Arena.ofConfined()) {
            return new DetachedMount(source, Mounts.openTree(arena, source));
        }
    }

    /// Attaches it, nosuid and nodev, once.
    ///
    /// @param target an existing file or directory
    /// @param readOnly whether writes through the new mount fail with `EROFS`
    public void attach(Path target, boolean readOnly) {
        attach(target, readOnly, Mounts.NOT_SHIFTED);
    }

    /// Like [#attach(Path, boolean)], with owners shifted into a user namespace, as
    /// [Mounts#bindMapped] says.
    ///
    /// @throws LinuxException `mount_setattr` `EINVAL` if the file system of the source cannot be
    ///   id-mapped
    public void attachMapped(Path target, boolean readOnly, UserNamespace namespace) {
        attach(target, readOnly, namespace.descriptor());
    }

    private void attach(Path target, boolean readOnly, int userNamespace) {
        try (Arena arena = Arena.ofConfined()) {
            Mounts.restrict(arena, tree, source, readOnly, userNamespace);
            Mounts.attach(arena, tree, target);
        }
    }

    /// Gives it up; where it is attached it stays.
    @Override
    public void close() {
        NamespaceCalls.close(tree);
    }
}
