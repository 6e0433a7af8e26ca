package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.WriteOptions;
import dev.glovebox.worker.shell.Cancellation;
import java.nio.charset.StandardCharsets;

/// `write`: a file gets new content, all of it or nothing.
final class WriteTool implements Tool {
    private final Guest guest;
    private final PathPolicy paths;

    WriteTool(Guest guest, PathPolicy paths) {
        this.guest = guest;
        this.paths = paths;
    }

    @Override
    public String name() {
        return "write";
    }

    @Override
    public ToolResult run(ToolInput input, Cancellation cancellation) {
        String named = input.required("file_path");
        byte[] content = input.present("content").getBytes(StandardCharsets.UTF_8);
        String path = paths.resolve(named);
        try {
            guest.write(path, content, WriteOptions.DEFAULT);
        } catch (GuestException e) {
            throw new ToolFailure("write: " + FileErrors.text(e, named));
        }
        return ToolResult.ok("wrote " + content.length + " bytes to " + named);
    }
}
