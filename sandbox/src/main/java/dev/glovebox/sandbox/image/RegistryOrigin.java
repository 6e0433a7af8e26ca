package dev.glovebox.sandbox.image;

import dev.glovebox.sandbox.image.ImageException.Band;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Set;

/// Where requests for one registry may go.
///
/// A registry is spoken to over TLS. Only one on this machine's own loopback, or one that the
/// operator has named as plain, is spoken to in the clear. From a registry over TLS no redirect
/// leads to plain HTTP or to this machine's own loopback, which it could not reach by itself.
///
/// @param base scheme, host and port
record RegistryOrigin(URI base) {
    /// Docker Hub's registry is not at the name of its images.
    private static final String HUB = "docker.io";

    private static final String HUB_REGISTRY = "registry-1.docker.io";

    /// @param host with port, as in a reference
    /// @param plain hosts, as in a reference, that are spoken to in the clear
    static RegistryOrigin of(String host, Set<String> plain) {
        URI https = URI.create("https://" + (host.equals(HUB) ? HUB_REGISTRY : host));
        boolean clear = plain.contains(host) || isLoopback(https);
        return new RegistryOrigin(clear ? URI.create("http://" + host) : https);
    }

    boolean plain() {
        return "http".equals(base.getScheme());
    }

    /// Whether a request goes to the registry itself, and so may carry what is for it alone.
    boolean isAt(URI uri) {
        return origin(uri).equals(origin(base));
    }

    /// A place that the registry names, from where it was named.
    ///
    /// @throws ImageException [Band#REGISTRY] if nothing may be asked there
    URI named(URI from, String text) {
        URI target;
        if (text.isBlank()) {
            throw refused(text, "has no name");
        }
        try {
            target = from.resolve(new URI(text));
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw refused(text, "is no address");
        }
        if (target.getHost() == null || target.getUserInfo() != null) {
            throw refused(text, "names no plain host");
        }
        if (isAt(target)) {
            return target;
        }
        boolean tls = "https".equals(target.getScheme());
        if (!tls && !(plain() && "http".equals(target.getScheme()))) {
            throw refused(text, "is not over TLS");
        }
        if (isLoopback(target) && !isLoopback(base)) {
            throw refused(text, "is this machine's own");
        }
        return target;
    }

    private ImageException refused(String text, String why) {
        return new ImageException(
                Band.REGISTRY,
                base.getAuthority()
                        + " sends us to a place that "
                        + why
                        + ": "
                        + text.substring(0, Math.min(text.length(), 200)));
    }

    /// By how it is written: a name that only resolves there is not seen.
    private static boolean isLoopback(URI uri) {
        String host = String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT);
        if (host.equals("localhost") || host.endsWith(".localhost")) {
            return true;
        }
        try {
            InetAddress address = InetAddress.ofLiteral(host.replaceAll("[\\[\\]]", ""));
            return address.isLoopbackAddress()
                    || address.isAnyLocalAddress()
                    || address.isLinkLocalAddress();
        } catch (IllegalArgumentException e) {
            return false; // a name
        }
    }

    private static String origin(URI uri) {
        int port = uri.getPort() >= 0 ? uri.getPort() : "http".equals(uri.getScheme()) ? 80 : 443;
        return uri.getScheme()
                + "://"
                + String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT)
                + ":"
                + port;
    }
}
