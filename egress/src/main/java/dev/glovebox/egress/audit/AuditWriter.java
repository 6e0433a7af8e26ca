package dev.glovebox.egress.audit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The end of the chain: knows the last hash and the file that is written.
///
/// Either all records of an [#append] are on stable storage or none is: after a failure the file is
/// cut back to where it was, before anything else is written. Used by one thread.
final class AuditWriter {
    private static final Duration LONGEST_SEGMENT = Duration.ofDays(1);
    private static final Duration CHECK = Duration.ofHours(1);

    private final AuditConfig config;
    private final InstantSource clock;
    private final Segments segments;
    private FileChannel file;
    private Path path;
    private long next;
    private String hash;
    private long size;
    private boolean cut;
    private Instant begun;
    private Instant checked;

    private AuditWriter(
            AuditConfig config, InstantSource clock, Segments segments, Recovered recovered)
            throws IOException {
        this.config = config;
        this.clock = clock;
        this.segments = segments;
        this.path = recovered.path();
        this.next = recovered.next();
        this.hash = recovered.hash();
        this.size = recovered.size();
        this.begun = clock.instant();
        this.checked = Instant.EPOCH;
        this.file = create(path);
    }

    /// Where an earlier life stopped.
    private record Recovered(Path path, long next, String hash, long size, long torn) {}

    static AuditWriter open(AuditConfig config, InstantSource clock) throws IOException {
        Segments segments = new Segments(config.directory());
        Recovered recovered = recover(segments);
        AuditWriter writer = new AuditWriter(config, clock, segments, recovered);
        try {
            writer.file.truncate(writer.size);
            if (recovered.torn() > 0) {
                writer.append(List.of(new AuditEvent.Repair(recovered.torn())));
            }
            return writer;
        } catch (IOException e) {
            writer.close();
            throw e;
        }
    }

    /// Reads the last file to its end. A file without one whole record is taken away.
    private static Recovered recover(Segments segments) throws IOException {
        List<Path> files = segments.list();
        long torn = 0;
        for (Path last : files.reversed()) {
            byte[] bytes = Files.readAllBytes(last);
            Recovered recovered = read(last, bytes);
            if (recovered.size() > 0) {
                return new Recovered(
                        last,
                        recovered.next(),
                        recovered.hash(),
                        recovered.size(),
                        torn + recovered.torn());
            }
            torn += bytes.length;
            Files.delete(last);
        }
        return new Recovered(segments.starting(0), 0, Chain.START, 0, torn);
    }

    private static Recovered read(Path file, byte[] bytes) {
        long next = Segments.first(file);
        String hash = "";
        int good = 0;
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] != '\n') {
                continue;
            }
            Optional<Chain.Read> read =
                    Chain.read(new String(bytes, good, i - good, StandardCharsets.UTF_8));
            String previous =
                    good > 0
                            ? hash
                            : read.map(r -> r.fields().path("previous").asString("")).orElse("");
            if (read.isEmpty() || read.get().number() != next || !read.get().follows(previous)) {
                throw new AuditException(
                        "audit record "
                                + next
                                + " in "
                                + file
                                + " is not as it was written: see `glovebox audit verify`, then"
                                + " move the directory away");
            }
            hash = read.get().hash();
            next++;
            good = i + 1;
        }
        return new Recovered(file, next, hash, good, bytes.length - good);
    }

    private static FileChannel create(Path path) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        path,
                        Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));
        syncDirectory(path);
        return channel;
    }

    private static void syncDirectory(Path child) throws IOException {
        Path directory = child.getParent();
        if (directory != null) {
            try (FileChannel opened = FileChannel.open(directory, StandardOpenOption.READ)) {
                opened.force(true);
            }
        }
    }

    /// Writes the events and waits for the disk.
    ///
    /// @return number of the first of them
    long append(List<AuditEvent> events) throws IOException {
        heal();
        turn();
        return write(events);
    }

    private long write(List<AuditEvent> events) throws IOException {
        if (events.isEmpty()) {
            return next;
        }
        Instant now = clock.instant();
        StringBuilder lines = new StringBuilder();
        String last = hash;
        long number = next;
        if (size == 0) {
            Chain.Link anchor =
                    Chain.link(last, new AuditEvent.Anchor(last).numbered(number++, now));
            lines.append(anchor.line()).append('\n');
            last = anchor.hash();
        }
        long first = number;
        for (AuditEvent event : events) {
            Chain.Link link = Chain.link(last, event.numbered(number++, now));
            lines.append(link.line()).append('\n');
            last = link.hash();
        }
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(lines.toString());
        int length = bytes.remaining();
        cut = true;
        while (bytes.hasRemaining()) {
            file.write(bytes, size + length - bytes.remaining());
        }
        file.force(false);
        cut = false;
        size += length;
        hash = last;
        next = number;
        return first;
    }

    /// Takes away what a failed write left.
    private void heal() throws IOException {
        if (cut) {
            file.truncate(size);
            cut = false;
        }
    }

    /// Begins a new file when this one is full or a day old, and removes what need not be kept.
    private void turn() throws IOException {
        Instant now = clock.instant();
        boolean old = Duration.between(begun, now).compareTo(LONGEST_SEGMENT) > 0;
        if (size > 0 && (size >= config.segmentBytes() || old)) {
            Path following = segments.starting(next);
            FileChannel opened = create(following);
            file.close();
            file = opened;
            path = following;
            size = 0;
            begun = now;
            checked = Instant.EPOCH;
        }
        if (Duration.between(checked, now).compareTo(CHECK) > 0) {
            checked = now;
            retire(now);
        }
    }

    private void retire(Instant now) throws IOException {
        List<Path> files = segments.list();
        long total = size;
        for (Path each : files) {
            total += each.equals(path) ? 0 : Files.size(each);
        }
        for (int i = 0; i + 1 < files.size(); i++) {
            Path oldest = files.get(i);
            Instant written = Files.getLastModifiedTime(oldest).toInstant();
            boolean aged = Duration.between(written, now).compareTo(config.keep()) > 0;
            if (!aged && total <= config.totalBytes()) {
                return;
            }
            Recovered last = read(oldest, Files.readAllBytes(oldest));
            write(List.of(new AuditEvent.Removal(last.next() - 1, last.hash())));
            total -= Files.size(oldest);
            Files.delete(oldest);
        }
    }

    void close() throws IOException {
        file.close();
    }
}
