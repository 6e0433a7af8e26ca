package dev.glovebox.sandbox.root;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;

/// The `/etc` of template `base`: what names the host is written new, what tools need is copied
/// from the host's own `/etc` by a list of permission, and nothing else is there.
///
/// Copied are only files that any user of the host may read.
final class BaseEtc {
    private static final int MAX_DEPTH = 12;

    private static final List<String> COPIED =
            List.of(
                    "alternatives",
                    "bash.bashrc",
                    "ca-certificates.conf",
                    "chromium*",
                    "debian_version",
                    "fonts",
                    "gai.conf",
                    "inputrc",
                    "java-*",
                    "ld.so.cache",
                    "ld.so.conf",
                    "ld.so.conf.d",
                    "localtime",
                    "lsb-release",
                    "magic",
                    "mailcap",
                    "maven",
                    "mime.types",
                    "os-release",
                    "perl",
                    "pki",
                    "profile",
                    "protocols",
                    "python3*",
                    "rpc",
                    "services",
                    "shells",
                    "ssl/certs",
                    "ssl/openssl.cnf",
                    "terminfo",
                    "timezone");

    private BaseEtc() {}

    /// Fills an empty directory.
    static void fill(Path etc, Path hostEtc) throws IOException {
        copy(COPIED, etc, hostEtc);
        write(etc, "passwd", PASSWD);
        write(etc, "group", GROUP);
        write(etc, "hostname", "glovebox\n");
        write(etc, "hosts", "127.0.0.1 localhost glovebox\n::1 localhost glovebox\n");
        write(etc, "resolv.conf", "nameserver 198.18.0.1\noptions timeout:5 attempts:2\n");
        write(etc, "nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
        makeDirectories(etc.resolve("ssh"));
        write(etc, "ssh/ssh_known_hosts2", ""); // a place to mount one
    }

    /// Copies what the patterns name and everybody may read.
    static void copy(List<String> patterns, Path etc, Path hostEtc) throws IOException {
        for (String pattern : patterns) {
            Path relative = Path.of(pattern);
            Path parent = relative.getParent();
            Path from = parent == null ? hostEtc : hostEtc.resolve(parent);
            Path to = parent == null ? etc : etc.resolve(parent);
            if (Files.isDirectory(from)) {
                copyMatching(from, to, relative.getFileName().toString());
            }
        }
    }

    private static final String PASSWD =
            """
            root:x:0:0:root:/root:/usr/sbin/nologin
            agent:x:1000:1000:agent:/home/agent:/bin/bash
            nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
            """;

    private static final String GROUP =
            """
            root:x:0:
            tty:x:5:
            agent:x:1000:
            nogroup:x:65534:
            """;

    private static void copyMatching(Path from, Path to, String pattern) throws IOException {
        try (DirectoryStream<Path> matches = Files.newDirectoryStream(from, pattern)) {
            for (Path match : matches) {
                makeDirectories(to);
                copy(match, to.resolve(match.getFileName().toString()), MAX_DEPTH);
            }
        }
    }

    private static void copy(Path from, Path to, int depth) throws IOException {
        if (Files.isSymbolicLink(from)) {
            Files.copy(from, to, LinkOption.NOFOLLOW_LINKS);
        } else if (Files.isDirectory(from)) {
            copyDirectory(from, to, depth);
        } else if (Files.isRegularFile(from) && readableByAll(from)) {
            Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
            Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rw-r--r--"));
        }
    }

    private static void copyDirectory(Path from, Path to, int depth) throws IOException {
        if (depth == 0 || !readableByAll(from)) {
            return;
        }
        makeDirectories(to);
        try (DirectoryStream<Path> children = Files.newDirectoryStream(from)) {
            for (Path child : children) {
                copy(child, to.resolve(child.getFileName().toString()), depth - 1);
            }
        }
    }

    static boolean readableByAll(Path path) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(path);
        return permissions.contains(PosixFilePermission.OTHERS_READ);
    }

    static void makeDirectories(Path directory) {
        try {
            Path parent = directory.getParent();
            if (parent != null && !Files.isDirectory(parent)) {
                makeDirectories(parent);
            }
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                Files.createDirectory(directory);
                Files.setPosixFilePermissions(
                        directory, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make directory " + directory, e);
        }
    }

    private static void write(Path etc, String name, String content) throws IOException {
        write(etc, name, content.getBytes(StandardCharsets.UTF_8));
    }

    /// Writes a file that everybody may read.
    static void write(Path etc, String name, byte[] content) throws IOException {
        Path file = etc.resolve(name);
        Files.write(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }
}
