package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.guest.DirectoryEntry;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.worker.glob.GlobPattern;
import dev.glovebox.worker.glob.GlobPattern.AnyDepth;
import dev.glovebox.worker.glob.GlobPattern.Literal;
import dev.glovebox.worker.glob.GlobPattern.Segment;
import dev.glovebox.worker.shell.Cancellation;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Looks for the files that patterns mean, below one directory.
///
/// Only regular files are found, and through a link to a directory only those that do not lie
/// outside. `.git` and `node_modules` are not entered. The walk ends after 50,000 files or 100,000
/// entries looked at.
final class GlobWalk {
    private static final int MAX_FOUND = 50_000;
    private static final int MAX_LOOKED_AT = 100_000;
    private static final Set<String> SKIPPED = Set.of(".git", "node_modules");

    private final Guest guest;
    private final String root;
    private final Cancellation cancellation;
    private final Map<String, Match> found = new HashMap<>();
    private final Map<String, List<DirectoryEntry>> listed = new HashMap<>();
    private final Set<String> walked = new HashSet<>();
    private int lookedAt;

    /// A file that fits.
    record Match(String path, Instant modified) {}

    GlobWalk(Guest guest, String root, Cancellation cancellation) {
        this.guest = guest;
        this.root = root;
        this.cancellation = cancellation;
    }

    /// The files that fit any of the patterns, each once, in no order.
    List<Match> find(List<GlobPattern> patterns) {
        for (GlobPattern pattern : patterns) {
            walked.clear();
            if (!pattern.segments().isEmpty()) {
                walk(root, false, pattern.segments(), 0, false);
            }
        }
        return List.copyOf(found.values());
    }

    /// Looks at one directory for one segment.
    ///
    /// @param linked whether a link was followed on the way here
    /// @param skipping whether this is the depth 0 of a `**` before the segment
    private void walk(
            String directory, boolean linked, List<Segment> segments, int index, boolean skipping) {
        if (!walked.add(index + " " + skipping + " " + directory)) {
            return;
        }
        Segment segment = segments.get(index);
        boolean last = index == segments.size() - 1;
        if (segment instanceof AnyDepth && !last) {
            walk(directory, linked, segments, index + 1, true);
        }
        for (DirectoryEntry entry : entries(directory)) {
            if (cancellation.cancelled() || found.size() >= MAX_FOUND) {
                return;
            }
            String name = entry.name();
            if (SKIPPED.contains(name) || !segment.matches(name)) {
                continue;
            }
            String path = directory.equals("/") ? "/" + name : directory + "/" + name;
            switch (entry.kind()) {
                case REGULAR -> {
                    if (last && (!linked || inside(path))) {
                        found.put(path, new Match(path, entry.modified()));
                    }
                }
                case DIRECTORY -> {
                    if (segment instanceof AnyDepth) {
                        walk(path, linked, segments, index, false);
                    } else if (!last) {
                        walk(path, linked, segments, index + 1, false);
                    }
                }
                case SYMLINK -> {
                    if (!last && isFollowed(segment, segments.get(index + 1), name, skipping)) {
                        walk(path, true, segments, index + 1, false);
                    }
                }
                default -> {}
            }
        }
    }

    /// A link is followed where a segment names it, and out of a `**` where the segment after it
    /// fits the link itself, as in Node.
    private static boolean isFollowed(
            Segment segment, Segment next, String name, boolean skipping) {
        return segment instanceof AnyDepth
                ? next.matches(name)
                : segment instanceof Literal && !skipping;
    }

    private List<DirectoryEntry> entries(String directory) {
        return listed.computeIfAbsent(
                directory,
                path -> {
                    int left = MAX_LOOKED_AT - lookedAt;
                    if (left <= 0) {
                        return List.of();
                    }
                    List<DirectoryEntry> entries = list(path, left);
                    lookedAt += entries.size();
                    return entries;
                });
    }

    private List<DirectoryEntry> list(String path, int most) {
        try {
            return guest.list(path, most);
        } catch (GuestException e) {
            if (guest.isOpen()) {
                return List.of();
            }
            throw e;
        }
    }

    private boolean inside(String path) {
        try {
            return PathPolicy.contains(root, guest.realPath(path));
        } catch (GuestException e) {
            if (guest.isOpen()) {
                return false;
            }
            throw e;
        }
    }
}
