package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.WriteOptions;
import dev.glovebox.worker.shell.Cancellation;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// `edit`: replaces a text in a file.
///
/// It works on bytes: for UTF-8 that comes to the same as on characters, and whatever else is in
/// the file stays as it is.
final class EditTool implements Tool {
    private final Guest guest;
    private final PathPolicy paths;
    private final int limit;

    EditTool(Guest guest, PathPolicy paths, ToolLimits limits) {
        this.guest = guest;
        this.paths = paths;
        this.limit = limits.maxFileBytes();
    }

    @Override
    public String name() {
        return "edit";
    }

    @Override
    public ToolResult run(ToolInput input, Cancellation cancellation) {
        String named = input.required("file_path");
        byte[] before = input.required("old_string").getBytes(StandardCharsets.UTF_8);
        byte[] after = input.present("new_string").getBytes(StandardCharsets.UTF_8);
        boolean all = input.flag("replace_all");
        String path = paths.resolve(named);
        byte[] content = content(path, named);
        int count = count(content, before);
        if (count == 0) {
            throw new ToolFailure("edit: old_string not found in " + named);
        }
        if (count > 1 && !all) {
            throw new ToolFailure(
                    "edit: old_string appears "
                            + count
                            + " times in "
                            + named
                            + " (must be unique)");
        }
        try {
            guest.write(path, replace(content, before, after), WriteOptions.DEFAULT);
        } catch (GuestException e) {
            throw new ToolFailure("edit: write: " + FileErrors.text(e, named));
        }
        return ToolResult.ok("edited " + named + " (" + count + " replacement(s))");
    }

    private byte[] content(String path, String named) {
        WholeFile file = WholeFile.at(guest, path, name(), named);
        if (file.size() > limit) {
            throw new ToolFailure(
                    file.tooLarge("edit", named, limit)
                            + "The edit tool loads the whole file and cannot modify a file this"
                            + " large.");
        }
        return file.read(guest, limit, name(), named);
    }

    static int count(byte[] content, byte[] text) {
        int count = 0;
        int at = indexOf(content, text, 0);
        while (at >= 0) {
            count++;
            at = indexOf(content, text, at + text.length);
        }
        return count;
    }

    static byte[] replace(byte[] content, byte[] before, byte[] after) {
        ByteArrayOutputStream result = new ByteArrayOutputStream(content.length + after.length);
        int copied = 0;
        int at = indexOf(content, before, 0);
        while (at >= 0) {
            result.write(content, copied, at - copied);
            result.writeBytes(after);
            copied = at + before.length;
            at = indexOf(content, before, copied);
        }
        result.write(content, copied, content.length - copied);
        return result.toByteArray();
    }

    private static int indexOf(byte[] content, byte[] text, int from) {
        for (int at = from; at <= content.length - text.length; at++) {
            if (Arrays.equals(content, at, at + text.length, text, 0, text.length)) {
                return at;
            }
        }
        return -1;
    }
}
