package dev.glovebox.egress.audit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The files of an audit directory, `audit-NUMBER.jsonl` by the number of their first record.
final class Segments {
    private static final Pattern NAME = Pattern.compile("audit-([0-9]{18})\\.jsonl");

    private final Path directory;

    Segments(Path directory) {
        this.directory = directory;
    }

    /// All of them, oldest first.
    List<Path> list() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> NAME.matcher(name(file)).matches()).sorted().toList();
        }
    }

    Path starting(long number) {
        return directory.resolve(String.format(Locale.ROOT, "audit-%018d.jsonl", number));
    }

    /// Number of the first record in the file.
    static long first(Path segment) {
        return Long.parseLong(name(segment).substring(6, 24));
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }
}
