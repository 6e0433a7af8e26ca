package dev.glovebox.worker;

import dev.glovebox.egress.tls.TrustFiles;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.Template;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Shows the certificates of a door where programs in its sandbox look for certificates, read-only:
/// in the system's bundle and Java's store, by a variable for each tool that has a bundle of its
/// own, and in the second of OpenSSH's files of known hosts.
///
/// @param mounts to put into the sandbox at its start
/// @param environment for commands
public record DoorCertificates(List<Mount> mounts, Map<String, String> environment) {
    private static final String PLACE = "/run/glovebox";
    private static final String SYSTEM = "/etc/ssl/certs/ca-certificates.crt";
    private static final String SYSTEM_JAVA = "/etc/ssl/certs/java/cacerts";

    /// The first may be the image's own (ssh_config(5), `GlobalKnownHostsFile`).
    private static final String KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts2";

    /// Variables that name a bundle to be used instead of a tool's own.
    private static final List<String> INSTEAD =
            List.of(
                    "SSL_CERT_FILE",
                    "REQUESTS_CA_BUNDLE",
                    "PIP_CERT",
                    "GIT_SSL_CAINFO",
                    "CURL_CA_BUNDLE",
                    "CARGO_HTTP_CAINFO",
                    "AWS_CA_BUNDLE");

    /// Variables that name certificates to be used beside a tool's own.
    private static final List<String> BESIDE = List.of("NODE_EXTRA_CA_CERTS", "DENO_CERT");

    public DoorCertificates {
        mounts = List.copyOf(mounts);
        environment = Map.copyOf(environment);
    }

    /// For a sandbox of a template.
    ///
    /// Over this host's programs, Java finds the store of the system. An image may have a Java
    /// anywhere, which is told by `JAVA_TOOL_OPTIONS`; it says so on standard error at each start.
    public static DoorCertificates of(TrustFiles files, Template template) {
        boolean host = template.root() instanceof Root.Host;
        List<Mount> mounts = new ArrayList<>();
        mounts.add(new Mount(files.directory(), PLACE, true));
        mounts.add(new Mount(files.knownHosts(), KNOWN_HOSTS, true));
        if (!host || Files.isRegularFile(Path.of(SYSTEM))) {
            mounts.add(new Mount(files.bundle(), SYSTEM, true));
        }
        Map<String, String> environment = new HashMap<>();
        INSTEAD.forEach(name -> environment.put(name, inside(files.bundle())));
        BESIDE.forEach(name -> environment.put(name, inside(files.authority())));
        if (host && Files.isRegularFile(Path.of(SYSTEM_JAVA))) {
            mounts.add(new Mount(files.store(), SYSTEM_JAVA, true));
        } else if (!host) {
            environment.put(
                    "JAVA_TOOL_OPTIONS",
                    "-Djavax.net.ssl.trustStore="
                            + inside(files.store())
                            + " -Djavax.net.ssl.trustStoreType=PKCS12");
        }
        return new DoorCertificates(mounts, environment);
    }

    /// For the sandbox in which a template's command runs.
    ///
    /// Of an image the system's bundle is left as it is, since a package manager that installs
    /// `ca-certificates` replaces it, and a file that something is mounted over cannot be replaced.
    /// The variables say where the door's is.
    public static DoorCertificates whilePreparing(TrustFiles files, Template template) {
        DoorCertificates all = of(files, template);
        return template.root() instanceof Root.Host
                ? all
                : new DoorCertificates(
                        all.mounts().stream()
                                .filter(mount -> mount.target().equals(PLACE))
                                .toList(),
                        all.environment());
    }

    private static String inside(Path file) {
        return PLACE + "/" + file.getFileName();
    }
}
