package dev.glovebox.sandbox.image;

import dev.glovebox.sandbox.image.ImageException.Band;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where an image is, as somebody wrote it.
sealed interface Reference {
    /// An image of a registry.
    ///
    /// @param host with port, if there is one
    /// @param repository such as `library/debian`
    /// @param tag `latest` unless written; without meaning if there is a digest
    /// @param digest of the manifest or index, if written
    record Remote(String host, String repository, String tag, Optional<Digest> digest)
            implements Reference {}

    /// An image of an OCI image layout directory on this host.
    ///
    /// @param tag the annotation `org.opencontainers.image.ref.name`; `latest` unless written
    record Layout(Path directory, String tag, Optional<Digest> digest) implements Reference {}

    String LAYOUT = "oci:";

    /// The grammar of the distribution specification, for hosts, repositories and tags.
    Pattern REMOTE =
            Pattern.compile(
                    "((?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
                            + "|\\[[0-9a-fA-F:]+])(?::[0-9]{1,5})?)"
                            + "/([a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*)"
                            + "(?::([\\w][\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?");

    Pattern LOCAL =
            Pattern.compile("(/[^:@\\x00]*)(?::([\\w][\\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?");

    int LONGEST = 1024;

    /// Reads a reference.
    ///
    /// @throws ImageException [Band#CALLER] saying how one is written
    static Reference parse(String text) {
        if (text.length() <= LONGEST && text.startsWith(LAYOUT)) {
            Matcher matcher = LOCAL.matcher(text.substring(LAYOUT.length()));
            if (matcher.matches()) {
                return new Layout(
                        Path.of(matcher.group(1)).normalize(), tag(matcher, 2), digest(matcher, 3));
            }
        } else if (text.length() <= LONGEST) {
            Matcher matcher = REMOTE.matcher(text);
            if (matcher.matches() && namesAHost(matcher.group(1))) {
                return new Remote(
                        matcher.group(1), matcher.group(2), tag(matcher, 3), digest(matcher, 4));
            }
        }
        throw new ImageException(
                Band.CALLER,
                "not a reference of an image: '"
                        + text.substring(0, Math.min(text.length(), LONGEST))
                        + "'; write registry.example/name:tag, registry.example/name@sha256:… or"
                        + " oci:/absolute/directory:tag");
    }

    /// Without a dot or a port it could be the first part of a name in a registry somebody has in
    /// mind; which one is never guessed.
    private static boolean namesAHost(String host) {
        return host.contains(".") || host.contains(":") || host.equals("localhost");
    }

    private static String tag(Matcher matcher, int group) {
        String tag = matcher.group(group);
        return tag == null ? "latest" : tag;
    }

    private static Optional<Digest> digest(Matcher matcher, int group) {
        return Optional.ofNullable(matcher.group(group)).map(Digest::parse);
    }
}
