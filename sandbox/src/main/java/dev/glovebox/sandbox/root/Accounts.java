package dev.glovebox.sandbox.root;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The users and groups of an image that does not know the agent, with the agent added.
///
/// The files are an attacker's. They are looked for in each layer by plain names, never through a
/// link, and read up to a limit; lines that are too long, or too many, are left out.
///
/// @param passwd `passwd(5)`
/// @param group `group(5)`
record Accounts(String passwd, String group) {
    private static final int MOST_BYTES = 64 * 1024;
    private static final int MOST_CHARACTERS = 512;
    private static final String AGENT_USER = "agent:x:1000:1000:agent:/home/agent:/bin/sh\n";
    private static final String AGENT_GROUP = "agent:x:1000:\n";
    private static final String ROOT_USER = "root:x:0:0:root:/root:/bin/sh\n";
    private static final String ROOT_GROUP = "root:x:0:\n";

    /// Those of an image, unless it has a user of the agent's id.
    ///
    /// @param layers top first
    static Optional<Accounts> of(List<Path> layers) throws IOException {
        String users = read(layers, "passwd");
        String groups = read(layers, "group");
        if (has(users, 2, "1000")) {
            return Optional.empty();
        }
        return Optional.of(
                new Accounts(
                        (users.isEmpty() ? ROOT_USER : users) + AGENT_USER,
                        (groups.isEmpty() ? ROOT_GROUP : groups)
                                + (has(groups, 2, "1000") ? "" : AGENT_GROUP)));
    }

    private static String read(List<Path> layers, String name) throws IOException {
        for (Path layer : layers) {
            Path etc = layer.resolve("etc");
            Path file = etc.resolve(name);
            boolean there =
                    Files.isDirectory(etc, LinkOption.NOFOLLOW_LINKS)
                            && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS);
            if (there) {
                try (InputStream text = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
                    return lines(new String(text.readNBytes(MOST_BYTES), StandardCharsets.UTF_8));
                }
            }
        }
        return "";
    }

    private static String lines(String text) {
        StringBuilder kept = new StringBuilder();
        text.lines()
                .filter(line -> line.length() <= MOST_CHARACTERS)
                .filter(line -> line.indexOf(':') > 0)
                .forEach(line -> kept.append(line).append('\n'));
        return kept.toString();
    }

    private static boolean has(String text, int field, String value) {
        return text.lines()
                .map(line -> line.split(":", -1))
                .anyMatch(fields -> fields.length > field && fields[field].equals(value));
    }
}
