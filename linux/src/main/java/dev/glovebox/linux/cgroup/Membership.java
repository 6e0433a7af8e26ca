package dev.glovebox.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// In which version 1 groups a process or thread is, as `/proc/PID/cgroup` says (`cgroups(7)`).
///
/// @param paths of groups from the top of their hierarchies, by controller
record Membership(Map<String, String> paths) {
    Membership {
        paths = Map.copyOf(paths);
    }

    /// @param of such as `/proc/self/cgroup`
    static Membership read(Path of) throws IOException {
        Map<String, String> paths = new HashMap<>();
        for (String line : Files.readAllLines(of)) {
            String[] fields = line.split(":", 3);
            Arrays.stream(fields[1].split(",", -1))
                    .forEach(controller -> paths.put(controller, fields[2]));
        }
        return new Membership(paths);
    }

    /// @throws IOException if there is no hierarchy with this controller
    String in(String controller) throws IOException {
        String path = paths.get(controller);
        if (path == null) {
            throw new IOException("not in any " + controller);
        }
        return path;
    }
}
