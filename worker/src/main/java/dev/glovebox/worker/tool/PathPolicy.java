package dev.glovebox.worker.tool;

import dev.glovebox.protocol.Json;
import dev.glovebox.sandbox.guest.FileKind;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;

/// Where the file tools may go: the session's working directory.
///
/// `..` is collapsed in the text first, then every link is resolved inside the sandbox, also one at
/// the end that leads to nothing yet, and the result must lie in the working directory. It is a
/// habit the agent can rely on and no wall: the wall is the sandbox, where a link that changes
/// between check and use leads nowhere that `bash` could not go.
final class PathPolicy {
    private static final int MAX_LINKS = 40;
    private static final int MAX_TARGET = 4096;

    private final Guest guest;
    private final String root;

    PathPolicy(Guest guest, String root) {
        this.guest = guest;
        this.root = root;
    }

    /// The working directory.
    String root() {
        return root;
    }

    /// The path without links that an agent's path stands for.
    ///
    /// @throws ToolFailure when it lies outside or cannot be resolved
    String resolve(String path) {
        String quoted = "path " + Json.write(path);
        String real;
        try {
            real = canonical(normal(root, path));
        } catch (GuestException e) {
            throw new ToolFailure(FileErrors.text(e, quoted));
        }
        if (!contains(root, real)) {
            throw new ToolFailure(quoted + " is outside the session's working directory");
        }
        return real;
    }

    /// Whether the path is the directory or lies in it, by its text.
    static boolean contains(String directory, String path) {
        return path.equals(directory) || path.startsWith(directory + "/");
    }

    /// The absolute path, `.` and `..` collapsed, no slash at its end.
    static String normal(String base, String path) {
        Deque<String> parts = new ArrayDeque<>();
        for (String part : (path.startsWith("/") ? path : base + "/" + path).split("/", -1)) {
            if (part.equals("..")) {
                parts.pollLast();
            } else if (!part.isEmpty() && !part.equals(".")) {
                parts.addLast(part);
            }
        }
        return "/" + String.join("/", parts);
    }

    /// Resolves the longest part that exists and puts the rest behind it; a link to nothing is
    /// followed by hand.
    private String canonical(String path) {
        String prefix = path;
        String rest = "";
        int links = 0;
        while (true) {
            try {
                String real = guest.realPath(prefix);
                return rest.isEmpty() ? real : normal(real, rest);
            } catch (GuestException e) {
                if (isLink(prefix)) {
                    if (++links > MAX_LINKS || !e.code().equals("ENOENT")) {
                        throw e;
                    }
                    prefix = normal(guest.realPath(parent(prefix)), target(prefix) + "/" + rest);
                    rest = "";
                } else if (prefix.equals("/") || !isMissing(e)) {
                    throw e;
                } else {
                    rest = prefix.substring(prefix.lastIndexOf('/') + 1) + "/" + rest;
                    prefix = parent(prefix);
                }
            }
        }
    }

    private boolean isLink(String path) {
        try {
            return guest.stat(path, false).kind() == FileKind.SYMLINK;
        } catch (GuestException e) {
            if (isMissing(e)) {
                return false;
            }
            throw e;
        }
    }

    private static boolean isMissing(GuestException e) {
        return e.code().equals("ENOENT") || e.code().equals("ENOTDIR");
    }

    private static String parent(String path) {
        return path.lastIndexOf('/') <= 0 ? "/" : path.substring(0, path.lastIndexOf('/'));
    }

    /// Where a link leads. Guests have no call for it, because only this rare case needs one.
    private String target(String link) {
        List<String> argv = List.of("/usr/bin/readlink", "-n", "--", link);
        try (GuestProcess process = guest.start(ProcessRequest.of(argv, Map.of(), "/"))) {
            byte[] target = process.stdout().readNBytes(MAX_TARGET);
            return new String(target, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new ToolFailure("path " + Json.write(link) + ": i/o error");
        }
    }
}
