package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// E21: a server that asks for a certificate sees the door's, whose key is not inside.
class ClientCertificateIT {
    private static final char[] NONE = new char[0];

    @TempDir Path directory;

    private static SSLContext asking(TestAuthority.Identity server, Path authority)
            throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, NONE);
        own.setKeyEntry(
                "server",
                server.keys().getPrivate(),
                NONE,
                server.chain().toArray(java.security.cert.Certificate[]::new));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, NONE);
        KeyStore known = KeyStore.getInstance("PKCS12");
        known.load(null, NONE);
        try (InputStream in = Files.newInputStream(authority)) {
            known.setCertificateEntry(
                    "authority", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(known);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static String pem(String label, byte[] der) {
        return "-----BEGIN "
                + label
                + "-----\n"
                + Base64.getMimeEncoder().encodeToString(der)
                + "\n-----END "
                + label
                + "-----\n";
    }

    @Test
    void serverThatAsksForACertificate_seesTheDoors() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        TestAuthority internet = new TestAuthority("internet");
        Path roots = internet.write(directory.resolve("roots.pem"));
        TestAuthority.Identity client =
                internet.vouch(
                        TestAuthority.Form.of("robot.test")
                                .forPurpose(KeyPurposeId.id_kp_clientAuth));
        SSLContext context = asking(internet.vouch("mutual.test"), roots);
        HttpsServer server =
                HttpsServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 9);
        server.setHttpsConfigurator(
                new HttpsConfigurator(context) {
                    @Override
                    public void configure(HttpsParameters parameters) {
                        SSLParameters wanted = context.getDefaultSSLParameters();
                        wanted.setNeedClientAuth(true);
                        parameters.setSSLParameters(wanted);
                    }
                });
        server.createContext(
                "/",
                exchange -> {
                    byte[] peer =
                            ((HttpsExchange) exchange)
                                    .getSSLSession()
                                    .getPeerPrincipal()
                                    .getName()
                                    .getBytes(StandardCharsets.UTF_8);
                    exchange.sendResponseHeaders(200, peer.length);
                    exchange.getResponseBody().write(peer);
                    exchange.close();
                });
        server.start();
        Path chain =
                Files.writeString(
                        directory.resolve("chain.pem"),
                        pem("CERTIFICATE", client.chain().getFirst().getEncoded()));
        Path key =
                Files.writeString(
                        directory.resolve("key.pem"),
                        pem("PRIVATE KEY", client.keys().getPrivate().getEncoded()));
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        String rules =
                """
                rules:
                  - {name: with, host: mutual.test, protocol: https, action: allow, connect: "127.0.0.1:WEB", credential: robot}
                  - {name: without, host: mutual.test, port: 8443, protocol: https, action: allow, connect: "127.0.0.1:WEB"}
                credentials:
                  - {name: robot, client-certificate: {key: {file: KEY}}, source: {file: CHAIN}}
                """
                        .replace("WEB", "" + server.getAddress().getPort())
                        .replace("KEY", key.toString())
                        .replace("CHAIN", chain.toString());
        EgressConfig config = EgressConfig.at(directory.resolve("doors")).withRoots(roots);
        try (Doors doors = Doors.open(config);
                Door door = doors.open("one", EgressPolicy.parse(rules))) {
            Inside inside = new Inside(door, directory);
            Path bundle = directory.resolve("bundle.pem");
            Files.copy(door.trustFiles().bundle(), bundle);
            assertThat(inside.curl("--cacert", bundle.toString(), "https://mutual.test/").output())
                    .contains("robot.test")
                    .endsWith("200");
            assertThat(
                            inside.curl("--cacert", bundle.toString(), "https://mutual.test:8443/")
                                    .output())
                    .as("a rule without the credential")
                    .endsWith("502");
            assertThat(inside.run("cat", key.toString()).exit()).isNotZero();
        } finally {
            server.stop(0);
        }
    }
}
