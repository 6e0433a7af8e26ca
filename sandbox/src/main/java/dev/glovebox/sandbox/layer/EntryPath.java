package dev.glovebox.sandbox.layer;

import dev.glovebox.sandbox.image.ImageException;
import dev.glovebox.sandbox.image.ImageLimits;

/// The name of an archive's entry as a plain relative path: no empty name, `.` or `..` in it.
///
/// @param path empty for the root itself
/// @param trailingSlash whether it was written as a directory's
record EntryPath(String path, boolean trailingSlash) {
    private static final String WHITEOUT = ".wh.";

    /// Reads a name as archives write it: `a/b`, `./a/b`, `a/b/`, and `./` or `/` for the root.
    ///
    /// @throws ImageException for one that is absolute, leaves the root, is too long or too deep,
    ///   or is no text
    static EntryPath parse(String name, int depth) {
        if (name.length() > ImageLimits.PATH_LENGTH) {
            throw refused(name, "is longer than " + ImageLimits.PATH_LENGTH + " characters");
        }
        if (name.indexOf('\0') >= 0 || name.indexOf('\uFFFD') >= 0) {
            throw refused(name, "is not text of UTF-8");
        }
        if (name.isEmpty() || (name.startsWith("/") && name.length() > 1)) {
            throw refused(name, "is not relative");
        }
        if (name.equals("/") || name.equals(".")) {
            return new EntryPath("", true);
        }
        boolean slash = name.endsWith("/");
        String bare = name.startsWith("./") ? name.substring(2) : name;
        bare = bare.endsWith("/") ? bare.substring(0, bare.length() - 1) : bare;
        if (bare.isEmpty()) {
            return new EntryPath("", true);
        }
        String[] names = bare.split("/", -1);
        if (names.length > depth + 1) {
            throw refused(name, "lies in more than " + depth + " directories");
        }
        for (int i = 0; i < names.length; i++) {
            if (names[i].isEmpty() || names[i].equals(".") || names[i].equals("..")) {
                throw refused(name, "has a part that is no name");
            }
            if (i < names.length - 1 && names[i].startsWith(WHITEOUT)) {
                throw refused(name, "lies in a whiteout");
            }
        }
        return new EntryPath(bare, slash);
    }

    /// The last name.
    String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /// The directory it lies in, empty for the root.
    String parent() {
        return path.substring(0, Math.max(0, path.lastIndexOf('/')));
    }

    boolean isRoot() {
        return path.isEmpty();
    }

    /// Whether this says that something is gone.
    boolean isWhiteout() {
        return name().startsWith(WHITEOUT);
    }

    /// Whether this says that all that was in its directory is gone.
    boolean isOpaque() {
        return name().equals(".wh..wh..opq");
    }

    /// What a whiteout says is gone.
    ///
    /// @throws ImageException for a whiteout of no proper name
    String hidden() {
        String gone = name().substring(WHITEOUT.length());
        if (gone.isEmpty() || gone.equals(".") || gone.equals("..") || gone.startsWith(WHITEOUT)) {
            throw refused(path, "is a whiteout of no proper name");
        }
        return parent().isEmpty() ? gone : parent() + "/" + gone;
    }

    static ImageException refused(String name, String why) {
        StringBuilder shown = new StringBuilder();
        name.chars().limit(200).forEach(c -> shown.append(c < ' ' || c == 127 ? '?' : (char) c));
        return ImageException.image("entry '" + shown + "' of a layer " + why);
    }
}
