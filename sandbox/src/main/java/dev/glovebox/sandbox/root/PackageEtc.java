package dev.glovebox.sandbox.root;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What a package manager needs in `/etc` beside [BaseEtc]: the host's sources of packages and
/// their keys, its system accounts, and settings of tools that packages call when they are
/// installed.
///
/// Nothing secret comes along: only files that everybody may read, no settings of `apt` (a proxy
/// has a password there), and no source in which there is an `@`, as before a password in an
/// address.
final class PackageEtc {
    private static final int FIRST_PERSON = 1000;
    private static final long MOST_BYTES = 1 << 20;

    private static final List<String> COPIED =
            List.of(
                    "adduser.conf",
                    "debconf.conf",
                    "deluser.conf",
                    "dpkg",
                    "login.defs",
                    "skel",
                    "apt/keyrings",
                    "apt/preferences.d",
                    "apt/trusted.gpg.d");

    private static final String SETTINGS =
            """
            APT::Sandbox::User "root";
            APT::Install-Recommends "false";
            DPkg::Use-Pty "false";
            """;

    private PackageEtc() {}

    /// Adds to a directory that [BaseEtc] has filled.
    static void fill(Path etc, Path hostEtc) throws IOException {
        BaseEtc.copy(COPIED, etc, hostEtc);
        for (String directory : List.of("apt.conf.d", "sources.list.d", "trusted.gpg.d")) {
            BaseEtc.makeDirectories(etc.resolve("apt").resolve(directory));
        }
        BaseEtc.write(etc, "apt/apt.conf.d/90glovebox", SETTINGS.getBytes(StandardCharsets.UTF_8));
        source(hostEtc, etc, Path.of("apt/sources.list"));
        Path lists = hostEtc.resolve("apt/sources.list.d");
        if (Files.isDirectory(lists)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(lists)) {
                for (Path file : files) {
                    source(hostEtc, etc, hostEtc.relativize(file));
                }
            }
        }
        accounts(hostEtc, etc, "passwd", "root:x:0:0:root:/home/agent:/bin/bash\n");
        accounts(hostEtc, etc, "group", "root:x:0:\n");
    }

    private static void source(Path hostEtc, Path etc, Path relative) throws IOException {
        Path file = hostEtc.resolve(relative);
        if (Files.isRegularFile(file)
                && BaseEtc.readableByAll(file)
                && Files.size(file) < MOST_BYTES) {
            String text = Files.readString(file);
            if (text.indexOf('@') < 0) {
                BaseEtc.write(etc, relative.toString(), text.getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    /// Root, the host's system accounts, and the agent and nobody as they are in [BaseEtc].
    private static void accounts(Path hostEtc, Path etc, String name, String root)
            throws IOException {
        StringBuilder text = new StringBuilder(root);
        for (String line : Files.readAllLines(hostEtc.resolve(name))) {
            String[] fields = line.split(":", -1);
            if (fields.length > 3 && isSystem(fields[2])) {
                text.append(line).append('\n');
            }
        }
        Files.readString(etc.resolve(name))
                .lines()
                .filter(line -> !line.startsWith("root:") && !line.startsWith("tty:"))
                .forEach(line -> text.append(line).append('\n'));
        BaseEtc.write(etc, name, text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static boolean isSystem(String id) {
        return id.matches("[1-9]\\d{0,2}") && Integer.parseInt(id) < FIRST_PERSON;
    }
}
