package dev.glovebox.egress.audit;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;

/// The records of a directory as a reader sees them, also while a worker writes there.
public final class AuditTrail {
    private static final int MOST_LINE = 64 * 1024;

    private final Path directory;

    /// @param directory as in [AuditConfig]
    public AuditTrail(Path directory) {
        this.directory = directory;
    }

    /// What verifying found.
    public sealed interface Verdict {
        /// Every record follows the one before it.
        ///
        /// @param first number of the oldest record that is there
        /// @param records how many there are
        /// @param head number and hash of the last one, `NUMBER:HASH`
        /// @param contains whether the record that was asked for is among them
        record Whole(long first, long records, String head, boolean contains) implements Verdict {}

        /// Something was changed, taken out or put in.
        ///
        /// @param number of the first record that is not as it was written
        /// @param place file and line
        /// @param reason one line for people
        record Broken(long number, String place, String reason) implements Verdict {}
    }

    /// Checks the whole chain.
    ///
    /// A line at the very end without a line end is being written right now, or was torn by a
    /// crash, and is left out.
    ///
    /// @param head `NUMBER:HASH` of a record that must be there, as an earlier verification printed
    ///   it
    /// @throws IOException if the files cannot be read
    public Verdict verify(Optional<String> head) throws IOException {
        Verification verification = new Verification(head);
        List<Path> files = new Segments(directory).list();
        for (Path file : files) {
            Optional<Verdict.Broken> broken = verification.file(file);
            if (broken.isPresent()) {
                return broken.get();
            }
        }
        return verification.end();
    }

    /// Gives every record that fits to the consumer, oldest first. What is not a record is left
    /// out: [#verify] finds it.
    ///
    /// @throws IOException if the files cannot be read
    public void query(Predicate<JsonNode> wanted, Consumer<JsonNode> consumer) throws IOException {
        for (Path file : new Segments(directory).list()) {
            try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    Chain.read(line).map(Chain.Read::fields).filter(wanted).ifPresent(consumer);
                }
            }
        }
    }

    /// One pass over the chain.
    private static final class Verification {
        private final Optional<String> wanted;
        private String hash = Chain.START;
        private long next;
        private long records;
        private long first = -1;
        private boolean contains;
        private boolean removalNeeded;
        private String anchored = Chain.START;

        Verification(Optional<String> wanted) {
            this.wanted = wanted;
        }

        Optional<Verdict.Broken> file(Path file) throws IOException {
            byte[] bytes = Files.readAllBytes(file);
            if (first < 0) {
                next = Segments.first(file);
            }
            int start = 0;
            int line = 0;
            while (start < bytes.length) {
                line++;
                int end = start;
                while (end < bytes.length && bytes[end] != '\n') {
                    end++;
                }
                if (end == bytes.length) {
                    return Optional.empty();
                }
                String text = new String(bytes, start, end - start, StandardCharsets.UTF_8);
                Optional<String> fault =
                        end - start > MOST_LINE
                                ? Optional.of("the line is longer than a record")
                                : record(text, line);
                if (fault.isPresent()) {
                    return Optional.of(
                            new Verdict.Broken(next, file.getFileName() + ":" + line, fault.get()));
                }
                start = end + 1;
            }
            return Optional.empty();
        }

        private Optional<String> record(String text, int line) {
            Optional<Chain.Read> read = Chain.read(text);
            if (read.isEmpty()) {
                return Optional.of("the line is not a record");
            }
            Chain.Read record = read.get();
            if (record.number() != next) {
                return Optional.of(
                        "the record has number " + record.number() + ", " + next + " comes next");
            }
            if (first < 0) {
                begin(record);
            }
            if (!record.follows(hash)) {
                return Optional.of("the hash does not fit the record and the one before it");
            }
            if ((line == 1) != record.is("anchor")) {
                return Optional.of("an anchor is the first record of a file, and only that");
            }
            if (record.is("removal")
                    && record.fields().path("hash_of_last").asString("").equals(anchored)) {
                removalNeeded = false;
            }
            hash = record.hash();
            contains |= wanted.filter((next + ":" + hash)::equals).isPresent();
            next++;
            records++;
            return Optional.empty();
        }

        /// The oldest file that is left may follow removed ones: then some later record must say
        /// so.
        private void begin(Chain.Read record) {
            first = next;
            anchored = record.fields().path("previous").asString(Chain.START);
            if (anchored.matches("[0-9a-f]{64}")) {
                hash = anchored;
            }
            removalNeeded = first > 0;
        }

        Verdict end() {
            if (removalNeeded) {
                return new Verdict.Broken(
                        first,
                        "the oldest file",
                        "earlier records are gone, and no record says that they were removed");
            }
            return new Verdict.Whole(
                    Math.max(first, 0), records, (next - 1) + ":" + hash, contains);
        }
    }
}
