package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.worker.glob.GlobPattern;
import dev.glovebox.worker.glob.PatternException;
import dev.glovebox.worker.shell.Cancellation;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// `glob`: the files that fit a pattern, newest first.
final class GlobTool implements Tool {
    private static final int MAX_RESULTS = 200;

    private final Guest guest;
    private final PathPolicy paths;

    GlobTool(Guest guest, PathPolicy paths) {
        this.guest = guest;
        this.paths = paths;
    }

    @Override
    public String name() {
        return "glob";
    }

    @Override
    public ToolResult run(ToolInput input, Cancellation cancellation) {
        String pattern = input.required("pattern");
        if (pattern.startsWith("/")) {
            throw new ToolFailure(
                    "glob: absolute pattern not permitted; pass a relative pattern (and optionally path)");
        }
        if (Arrays.asList(pattern.split("[\\\\/{},]", -1)).contains("..")) {
            throw new ToolFailure("glob: \"..\" is not permitted in the pattern");
        }
        String named = input.text("path").orElse("");
        String root = named.isEmpty() ? paths.root() : paths.resolve(named);
        List<GlobWalk.Match> found;
        try {
            found = new GlobWalk(guest, root, cancellation).find(GlobPattern.parse(pattern));
        } catch (PatternException e) {
            throw new ToolFailure("glob: " + e.getMessage());
        } catch (GuestException e) {
            throw new ToolFailure("glob: " + FileErrors.text(e, named.isEmpty() ? root : named));
        }
        if (found.isEmpty()) {
            return ToolResult.ok("no matches");
        }
        return ToolResult.ok(
                found.stream()
                        .sorted(
                                Comparator.comparing(GlobWalk.Match::modified)
                                        .reversed()
                                        .thenComparing(GlobWalk.Match::path))
                        .limit(MAX_RESULTS)
                        .map(GlobWalk.Match::path)
                        .collect(Collectors.joining("\n")));
    }
}
