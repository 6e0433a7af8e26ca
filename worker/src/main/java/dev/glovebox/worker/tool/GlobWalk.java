package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.guest.DirectoryEntry;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Looks for the files that patterns mean, below one directory.
///
/// Only regular files are found. A link to a directory is followed where a segment names it, never
/// by `**`, and what lies outside the directory then is left out. `.git` and `node_modules` are not
/// entered. The walk ends after 50,000 files or 100,000 entries looked at.
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
                walk(root, false, pattern.segments(), 0);
            }
        }
        return List.copyOf(found.values());
    }

    private void walk(
            String directory, boolean linked, List<GlobPattern.Segment> segments, int index) {
        if (!walked.add(index + " " + directory)) {
            return;
        }
        GlobPattern.Segment segment = segments.get(index);
        boolean last = index == segments.size() - 1;
        boolean anyDepth = segment instanceof GlobPattern.AnyDepth;
        if (anyDepth && !last) {
            walk(directory, linked, segments, index + 1);
        }
        for (DirectoryEntry entry : entries(directory)) {
            if (cancellation.cancelled() || found.size() >= MAX_FOUND) {
                return;
            }
            if (SKIPPED.contains(entry.name()) || !segment.matches(entry.name())) {
                continue;
            }
            String path =
                    directory.equals("/") ? "/" + entry.name() : directory + "/" + entry.name();
            switch (entry.kind()) {
                case REGULAR -> {
                    if (last && (!linked || inside(path))) {
                        found.put(path, new Match(path, entry.modified()));
                    }
                }
                case DIRECTORY -> {
                    if (anyDepth) {
                        walk(path, linked, segments, index);
                    } else if (!last) {
                        walk(path, linked, segments, index + 1);
                    }
                }
                case SYMLINK -> {
                    if (!last && !anyDepth) {
                        walk(path, true, segments, index + 1);
                    }
                }
                default -> {}
            }
        }
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
