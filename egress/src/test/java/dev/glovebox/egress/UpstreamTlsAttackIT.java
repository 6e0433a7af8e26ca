package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.egress.tls.TestAuthority.Form;
import dev.glovebox.egress.tls.TestAuthority.Identity;
import dev.glovebox.egress.tls.TrustedRoots;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Servers whose certificates should not be believed, in the manner of badssl.com. None of them may
/// see a byte of a request; a good one beside them does.
class UpstreamTlsAttackIT {
    @TempDir Path directory;

    /// A TLS server that counts bytes of requests.
    private static final class Server implements AutoCloseable {
        private final SSLServerSocket socket;
        private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        private final AtomicInteger accepted = new AtomicInteger();
        private final AtomicInteger bytes = new AtomicInteger();

        Server(SSLContext context) throws IOException {
            socket =
                    (SSLServerSocket)
                            context.getServerSocketFactory()
                                    .createServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"));
            threads.execute(this::serve);
        }

        private void serve() {
            try {
                while (true) {
                    SSLSocket client = (SSLSocket) socket.accept();
                    accepted.incrementAndGet();
                    threads.execute(() -> answer(client));
                }
            } catch (IOException e) {
                // the server was closed
            }
        }

        private void answer(SSLSocket client) {
            try (client) {
                byte[] buffer = new byte[8192];
                int read = client.getInputStream().read(buffer);
                bytes.addAndGet(Math.max(0, read));
                client.getOutputStream()
                        .write(
                                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                                        .getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                // whoever came did not like what it saw
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
            threads.close();
        }
    }

    private final TestAuthority believed = authority("Believed Root");
    private final TestAuthority stranger = authority("Strange Root");

    private static TestAuthority authority(String name) {
        try {
            return new TestAuthority(name);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private Map<String, Identity> bad(Identity revoked) throws Exception {
        Instant now = Instant.now();
        Duration day = Duration.ofDays(1);
        Map<String, Identity> bad = new LinkedHashMap<>();
        Form good = Form.of("good.test");
        bad.put(
                "expired",
                believed.vouch(good.during(now.minus(day.multipliedBy(9)), now.minus(day))));
        bad.put(
                "not-yet-valid",
                believed.vouch(good.during(now.plus(day), now.plus(day.multipliedBy(9)))));
        bad.put("self-signed", TestAuthority.alone("good.test"));
        bad.put("untrusted-root", stranger.vouch("good.test"));
        bad.put("wrong-host", believed.vouch("evil.test"));
        bad.put("wildcard-of-another-level", believed.vouch("*.good.test"));
        bad.put("name-only-in-subject", believed.vouch(good.unnamed()));
        bad.put(
                "address-instead-of-name",
                believed.vouch(good.named(new GeneralName(GeneralName.iPAddress, "127.0.0.1"))));
        bad.put("name-with-nul", believed.vouch("good.test\0.evil.test"));
        bad.put("sha1", believed.vouch(good.signed("SHA1withRSA")));
        bad.put("rsa-1024", believed.vouch(good.with(TestAuthority.rsa(1024))));
        bad.put("for-clients-only", believed.vouch(good.forPurpose(KeyPurposeId.id_kp_clientAuth)));
        bad.put(
                "issued-by-a-leaf",
                believed.vouch(good.with(TestAuthority.ec()), believed.vouch("good.test")));
        Identity bare = stranger.vouch("good.test");
        bad.put("chain-incomplete", new Identity(bare.keys(), List.of(bare.chain().getFirst())));
        bad.put("revoked", revoked);
        return bad;
    }

    @Test
    void badCertificates_areRefusedBeforeAnyByteOfTheRequest() throws Exception {
        assertThat(TrustedRoots.speaker()).startsWith("BoringSSL");
        attack();
    }

    private void attack() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        Identity revoked = believed.vouch("good.test");
        Path roots = believed.write(directory.resolve("roots.pem"), revoked.chain().getFirst());
        EgressConfig config = EgressConfig.at(directory.resolve("doors")).withRoots(roots);
        Map<String, Identity> bad = bad(revoked);
        assertThat(bad).hasSizeGreaterThanOrEqualTo(14);
        try (Doors doors = Doors.open(config);
                Server good = new Server(believed.vouch("good.test").context())) {
            Door door = doors.open("one", policy(good));
            Path bundle = Files.copy(door.trustFiles().bundle(), directory.resolve("bundle.pem"));
            Inside inside = new Inside(door, directory);
            for (Map.Entry<String, Identity> each : bad.entrySet()) {
                try (Server server = new Server(each.getValue().context())) {
                    door.policy(policy(server));
                    refused(inside, bundle, each.getKey(), server, "certificate");
                }
            }
            door.policy(policy(good));
            assertThat(get(inside, bundle).output()).endsWith("200");
            assertThat(good.bytes).hasPositiveValue();
        }
    }

    /// The same where the library of BoringSSL cannot be loaded, so that the JDK speaks TLS.
    @Test
    void badCertificates_areRefusedByTheTlsOfTheJdkToo() throws Exception {
        Process jvm =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-Dio.netty.handler.ssl.noOpenSsl=true",
                                "-cp",
                                System.getProperty("java.class.path"),
                                UpstreamTlsAttackIT.class.getName(),
                                directory.toString())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(jvm.waitFor()).as(said).isZero();
        assertThat(said).contains("TLS by JDK");
    }

    /// All of it in a JVM of its own.
    public static void main(String[] args) throws Exception {
        UpstreamTlsAttackIT attack = new UpstreamTlsAttackIT();
        attack.directory = Path.of(args[0]);
        attack.attack();
        System.out.println("TLS by " + TrustedRoots.speaker());
        System.exit(0);
    }

    private static EgressPolicy policy(Server server) {
        return EgressPolicy.parse(
                "rules: [{name: web, host: good.test, protocol: https, action: allow, connect:"
                        + " \"127.0.0.1:"
                        + server.socket.getLocalPort()
                        + "\"}]");
    }

    private static void refused(
            Inside inside, Path bundle, String name, Server server, String reason)
            throws Exception {
        assertThat(get(inside, bundle).output()).as(name).contains(reason).endsWith("502");
        assertThat(server.accepted).as(name).hasPositiveValue();
        assertThat(server.bytes).as("bytes of a request seen by %s", name).hasValue(0);
    }

    private static Inside.Result get(Inside inside, Path bundle) throws Exception {
        return inside.curl("--cacert", bundle.toString(), "https://good.test/secret");
    }
}
