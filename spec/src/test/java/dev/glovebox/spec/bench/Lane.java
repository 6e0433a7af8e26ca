package dev.glovebox.spec.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// One way from a client to the server of [EgressLab].
///
/// @param name for a table
/// @param kind what is spoken, and so which lane without anything between it is compared with
/// @param url of the server, without a path
/// @param path of a small answer
/// @param authority PEM file of whom a client believes here
/// @param prefix what puts a client program into its place
/// @param worked processor time that what is between has used so far
record Lane(
        String name,
        Kind kind,
        String url,
        String path,
        Path authority,
        List<String> prefix,
        Supplier<Duration> worked) {
    /// What is spoken between client and server.
    enum Kind {
        /// HTTP/1.1 in the clear.
        CLEAR("HTTP/1.1"),
        /// HTTP/1.1 in TLS.
        HTTPS("HTTPS, HTTP/1.1"),
        /// HTTP/2 in TLS.
        HTTP2("HTTPS, HTTP/2");

        private final String text;

        Kind(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    Lane {
        prefix = List.copyOf(prefix);
    }

    /// The command line of a client.
    List<String> client(List<String> program) {
        return Stream.concat(prefix.stream(), program.stream()).toList();
    }

    /// The same with what a program sees instead of the host's own file.
    static List<String> seeing(Path file, String instead) {
        return List.of(
                "unshare",
                "--mount",
                "sh",
                "-c",
                "mount --bind \"$0\" " + instead + " && exec \"$@\"",
                file.toString());
    }
}
