package dev.glovebox.linux.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/// Which disk files are on.
public final class BlockDevice {
    private static final Path DEVICES = Path.of("/sys/dev/block");

    private BlockDevice() {}

    /// The whole disk under a file, as `MAJOR:MINOR`. Empty where the file system names none, as
    /// btrfs, overlayfs and tmpfs do, or spans several.
    public static Optional<String> under(Path file) {
        try {
            return under(DEVICES, number(file));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /// A partition lies below its disk.
    static Optional<String> under(Path devices, String number) throws IOException {
        Path device = devices.resolve(number);
        if (!Files.exists(device)) {
            return Optional.empty();
        }
        Path real = device.toRealPath();
        Path whole = Files.exists(real.resolve("partition")) ? real.resolveSibling("") : real;
        return Optional.of(Files.readString(whole.resolve("dev")).strip());
    }

    /// As `makedev(3)` of glibc packs it.
    private static String number(Path file) throws IOException {
        long packed = Files.getAttribute(file, "unix:dev") instanceof Long device ? device : 0;
        long major = ((packed >>> 8) & 0xfff) | ((packed >>> 32) & ~0xfffL);
        long minor = (packed & 0xff) | ((packed >>> 12) & ~0xffL);
        return String.format(Locale.ROOT, "%d:%d", major, minor);
    }
}
