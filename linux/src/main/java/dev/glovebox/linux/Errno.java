package dev.glovebox.linux;

import java.util.Map;

/// Numbers of `errno(3)` on Linux that this room meets, with their names.
public final class Errno {
    public static final int EPERM = 1;
    public static final int ENOENT = 2;
    public static final int ESRCH = 3;
    public static final int EINTR = 4;
    public static final int EIO = 5;
    public static final int EAGAIN = 11;
    public static final int EACCES = 13;
    public static final int EBUSY = 16;
    public static final int EEXIST = 17;
    public static final int EXDEV = 18;
    public static final int ENODEV = 19;
    public static final int ENOTDIR = 20;
    public static final int EINVAL = 22;
    public static final int EMFILE = 24;
    public static final int ENOSPC = 28;
    public static final int EROFS = 30;
    public static final int EMLINK = 31;
    public static final int ENAMETOOLONG = 36;
    public static final int ENOSYS = 38;
    public static final int ELOOP = 40;
    public static final int EPROTONOSUPPORT = 93;
    public static final int EOPNOTSUPP = 95;
    public static final int EADDRINUSE = 98;

    private static final Map<Integer, String> NAMES =
            Map.ofEntries(
                    Map.entry(EPERM, "EPERM, operation not permitted"),
                    Map.entry(ENOENT, "ENOENT, no such file or directory"),
                    Map.entry(ESRCH, "ESRCH, no such process"),
                    Map.entry(EINTR, "EINTR, interrupted"),
                    Map.entry(EIO, "EIO, input/output error"),
                    Map.entry(EAGAIN, "EAGAIN, try again"),
                    Map.entry(EACCES, "EACCES, permission denied"),
                    Map.entry(EBUSY, "EBUSY, in use"),
                    Map.entry(EEXIST, "EEXIST, exists already"),
                    Map.entry(EXDEV, "EXDEV, out of the directory or the file system"),
                    Map.entry(ENODEV, "ENODEV, not known to this kernel"),
                    Map.entry(ENOTDIR, "ENOTDIR, not a directory"),
                    Map.entry(EINVAL, "EINVAL, invalid argument"),
                    Map.entry(EMFILE, "EMFILE, too many open files"),
                    Map.entry(ENOSPC, "ENOSPC, no space left"),
                    Map.entry(EROFS, "EROFS, read-only file system"),
                    Map.entry(EMLINK, "EMLINK, too many links"),
                    Map.entry(ENAMETOOLONG, "ENAMETOOLONG, too long a name"),
                    Map.entry(ENOSYS, "ENOSYS, not in this kernel"),
                    Map.entry(ELOOP, "ELOOP, too many symbolic links"),
                    Map.entry(EPROTONOSUPPORT, "EPROTONOSUPPORT, protocol not in this kernel"),
                    Map.entry(EOPNOTSUPP, "EOPNOTSUPP, not supported"),
                    Map.entry(EADDRINUSE, "EADDRINUSE, address in use"));

    private Errno() {}

    /// The symbolic name and meaning of an errno, or `errno N` for one not listed.
    public static String name(int errno) {
        return NAMES.getOrDefault(errno, "errno " + errno);
    }
}
