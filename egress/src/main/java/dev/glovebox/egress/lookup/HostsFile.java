package dev.glovebox.egress.lookup;

import dev.glovebox.protocol.egress.HostName;
import io.netty.resolver.HostsFileEntriesProvider;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// The host's own list of names, `hosts(5)`. A name that is in it is not looked up elsewhere. It
/// makes no address one that may be dialled. Thread-safe.
final class HostsFile {
    private final WatchedFile<HostsFileEntriesProvider> file;

    HostsFile(Path file) {
        this.file = new WatchedFile<>(file, HostsFile::read);
    }

    /// The addresses of the name; empty if the file does not name it.
    ///
    /// @throws IOException if it cannot be read
    List<InetAddress> addressesOf(HostName name) throws IOException {
        HostsFileEntriesProvider entries = file.content();
        return Stream.of(entries.ipv4Entries(), entries.ipv6Entries())
                .flatMap(each -> each.getOrDefault(name.text(), List.of()).stream())
                .toList();
    }

    private static HostsFileEntriesProvider read(byte[] bytes) {
        try (var reader =
                new InputStreamReader(
                        new ByteArrayInputStream(bytes), StandardCharsets.ISO_8859_1)) {
            return HostsFileEntriesProvider.parser().parse(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
