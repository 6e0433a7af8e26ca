package dev.glovebox.egress;

import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/// A worker's doors for one test, the authority by which they verify servers, and what stands
/// inside of each door: programs and sockets that believe it.
final class DoorRig implements AutoCloseable {
    private final Path directory;
    private final TestAuthority internet;
    private final Doors doors;
    private final Map<Door, Path> bundles = new ConcurrentHashMap<>();

    DoorRig(Path directory) throws Exception {
        this(directory, UnaryOperator.identity());
    }

    /// @param change is made to the usual configuration
    DoorRig(Path directory, UnaryOperator<EgressConfig> change) throws Exception {
        this.directory = directory;
        this.internet = new TestAuthority("Fake Internet Root");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        EgressConfig config =
                EgressConfig.at(directory.resolve("doors"))
                        .withRoots(internet.write(directory.resolve("roots.pem")));
        this.doors = Doors.open(change.apply(config));
    }

    /// With limits of the test's own.
    static DoorRig limited(Path directory, DoorLimits limits) throws Exception {
        return new DoorRig(directory, usual -> usual.withLimits(limits));
    }

    TestAuthority internet() {
        return internet;
    }

    Doors doors() {
        return doors;
    }

    Door open(String name, String policy) {
        return doors.open(name, EgressPolicy.parse(policy));
    }

    /// A file that only the worker can read.
    Path secret(String name, String value) throws IOException {
        Path file = Files.writeString(directory.resolve(name), value + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    /// What the programs inside of the door are shown; they can read this copy of it.
    Path bundle(Door door) throws IOException {
        Path copy = bundles.get(door);
        if (copy == null) {
            copy = directory.resolve("bundle-" + bundles.size() + ".pem");
            Files.copy(door.trustFiles().bundle(), copy);
            bundles.put(door, copy);
        }
        return copy;
    }

    Inside inside(Door door) {
        return new Inside(door, directory);
    }

    /// `curl` inside, which believes the door.
    Inside.Result curl(Door door, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("--cacert", bundle(door).toString()));
        all.addAll(List.of(arguments));
        return inside(door).curl(all.toArray(String[]::new));
    }

    /// The address that the name has inside.
    static InetAddress address(Door door, String name) {
        return door.names().addressesOf(HostName.parse(name)).orElseThrow().four();
    }

    Socket connect(Door door, String name, int port) {
        return new Client(door).connect(address(door, name), port);
    }

    /// A connection inside that has ended its handshake with the door, which must be the host.
    ///
    /// @param protocols that the client speaks (ALPN)
    SSLSocket tls(Door door, String name, int port, String... protocols)
            throws IOException, GeneralSecurityException {
        return tls(door, connect(door, name, port), name, port, protocols);
    }

    /// The same over a connection that is there.
    SSLSocket tls(Door door, Socket over, String name, int port, String... protocols)
            throws IOException, GeneralSecurityException {
        SSLSocket tls =
                (SSLSocket) believing(door).getSocketFactory().createSocket(over, name, port, true);
        SSLParameters parameters = tls.getSSLParameters();
        parameters.setApplicationProtocols(protocols);
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        return tls;
    }

    private static SSLContext believing(Door door) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(door.trustFiles().store())) {
            store.load(in, null);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    @Override
    public void close() {
        doors.close();
    }
}
