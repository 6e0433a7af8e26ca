package dev.glovebox.egress.lookup;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// Whom the worker asks for addresses: those it was told, or the first three of the host's
/// `resolv.conf(5)`, whose other lines are not read. Thread-safe.
///
/// There is nobody else: without a server, or with none that answers, a name is not found. A file
/// that changes is read again.
final class NameServers {
    private static final int PORT = 53;
    private static final int MAX = 3;
    private static final Pattern LINE = Pattern.compile("\\s*nameserver\\s+(\\S+).*");

    private final List<InetSocketAddress> told;
    private final WatchedFile<List<InetSocketAddress>> file;

    /// @param told empty: those of the file
    NameServers(List<InetSocketAddress> told, Path file) {
        this.told = List.copyOf(told);
        this.file = new WatchedFile<>(file, NameServers::read);
    }

    /// The servers, in the order in which they are asked.
    ///
    /// @throws IOException if there are none
    List<InetSocketAddress> now() throws IOException {
        if (!told.isEmpty()) {
            return told;
        }
        List<InetSocketAddress> found = file.content();
        if (found.isEmpty()) {
            throw new IOException("there is no name server in " + file);
        }
        return found;
    }

    private static List<InetSocketAddress> read(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1)
                .lines()
                .flatMap(line -> server(line).stream())
                .limit(MAX)
                .toList();
    }

    private static Optional<InetSocketAddress> server(String line) {
        var matcher = LINE.matcher(line);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new InetSocketAddress(InetAddress.ofLiteral(matcher.group(1)), PORT));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
