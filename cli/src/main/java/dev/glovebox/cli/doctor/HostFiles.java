package dev.glovebox.cli.doctor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The files in which a host describes itself; what cannot be read is as if it were not there.
///
/// @param root of the tree, so that any host can be shown
record HostFiles(Path root) {
    private static final int LARGEST = 64 * 1024;

    boolean exists(String path) {
        return Files.exists(root.resolve(path));
    }

    /// Content without space around it; the first 64 KiB; empty when there is none.
    ///
    /// Files of `/proc/sys` give all they have to the first read and nothing to the next, so that
    /// read must be large.
    String read(String path) {
        try (InputStream in = Files.newInputStream(root.resolve(path))) {
            byte[] buffer = new byte[LARGEST];
            int count = in.read(buffer);
            return new String(buffer, 0, Math.max(count, 0), StandardCharsets.UTF_8).strip();
        } catch (IOException _) {
            return "";
        }
    }

    /// All lines of a file that may be long.
    List<String> lines(String path) {
        try {
            return Files.readAllLines(root.resolve(path), StandardCharsets.ISO_8859_1);
        } catch (IOException _) {
            return List.of();
        }
    }

    /// Names in a directory, in order.
    List<String> names(String directory) {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(root.resolve(directory))) {
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
        } catch (IOException _) {
            return List.of();
        }
        return names.stream().sorted().toList();
    }
}
