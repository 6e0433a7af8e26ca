package dev.glovebox.egress.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.egress.Host;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuthorityTest {
    /// The engine of BoringSSL always names it, and knows no such hello.
    private static final String BORINGSSL_SAYS = "SSLv2Hello";

    private static final Host GOOD = Host.parse("good.test");

    @TempDir Path directory;
    private final Instant now = Instant.now();
    private final Authority authority = Authority.create("one", now);

    private static void verify(X509Certificate leaf, Authority by, Instant at) throws Exception {
        PKIXParameters parameters =
                new PKIXParameters(Set.of(new TrustAnchor(by.certificate(), null)));
        parameters.setRevocationEnabled(false);
        parameters.setDate(Date.from(at));
        CertPathValidator.getInstance("PKIX")
                .validate(
                        CertificateFactory.getInstance("X.509").generateCertPath(List.of(leaf)),
                        parameters);
    }

    private X509Certificate leaf(Host host) throws Exception {
        return authority.issue(host, authority.newLeafKeys().getPublic(), now);
    }

    @Test
    void leafIsBelievedByItsSandbox_andByNoOther() throws Exception {
        X509Certificate leaf = leaf(GOOD);
        verify(leaf, authority, now);
        assertThat(leaf.getSubjectAlternativeNames()).containsExactly(List.of(2, "good.test"));
        Authority other = Authority.create("one", now);
        assertThatThrownBy(() -> verify(leaf, other, now))
                .isInstanceOf(CertPathValidatorException.class);
    }

    @Test
    void nothingIsBelievedAfterADay() throws Exception {
        X509Certificate leaf = leaf(GOOD);
        assertThat(Duration.between(now, authority.certificate().getNotAfter().toInstant()))
                .isLessThanOrEqualTo(Duration.ofHours(24));
        assertThatThrownBy(() -> verify(leaf, authority, now.plus(Duration.ofHours(25))))
                .isInstanceOf(CertPathValidatorException.class);
    }

    @Test
    void leafCannotVouchForOthers_andTheAuthorityOnlyForServers() throws Exception {
        assertThat(leaf(GOOD).getBasicConstraints()).isEqualTo(-1);
        assertThat(authority.certificate().getBasicConstraints()).isZero();
        assertThat(authority.certificate().getExtendedKeyUsage())
                .containsExactly("1.3.6.1.5.5.7.3.1");
        assertThat(authority.certificate().getCriticalExtensionOIDs())
                .contains("2.5.29.15", "2.5.29.19", "2.5.29.37");
    }

    @Test
    void addressIsNamedAsAnAddress() throws Exception {
        assertThat(leaf(Host.parse("203.0.113.7")).getSubjectAlternativeNames())
                .containsExactly(List.of(7, "203.0.113.7"));
        assertThat(leaf(Host.parse("2001:db8::7")).getSubjectAlternativeNames())
                .containsExactly(List.of(7, "2001:db8:0:0:0:0:0:7"));
    }

    @Test
    void keptLeavesAreBounded_andThoseThatGaveWayHoldNothing() throws Exception {
        Leaves leaves = new Leaves(authority, 8, InstantSource.system());
        SslContext first = leaves.of(GOOD);
        assertThat(leaves.of(GOOD)).isSameAs(first);
        SslHandler begun = leaves.handler(GOOD, UnpooledByteBufAllocator.DEFAULT);
        for (int i = 0; i < 50; i++) {
            leaves.of(Host.parse("n" + i + ".good.test"));
        }
        assertThat(leaves.size()).isEqualTo(8);
        assertThat(leaves.of(GOOD)).isNotSameAs(first);
        assertThat(ReferenceCountUtil.refCnt(first)).as("of the connection").isOne();
        ReferenceCountUtil.release(begun.engine());
        assertThat(ReferenceCountUtil.refCnt(first)).isZero();
        SslContext last = leaves.of(GOOD);
        leaves.close();
        assertThat(ReferenceCountUtil.refCnt(last)).isZero();
        assertThatThrownBy(() -> leaves.handler(GOOD, UnpooledByteBufAllocator.DEFAULT))
                .isInstanceOf(GeneralSecurityException.class);
    }

    @Test
    void oldVersionsOfTls_areSpokenToNeitherSide() throws Exception {
        SslContext server = new Leaves(authority, 8, InstantSource.system()).of(GOOD);
        SslContext client = TrustedRoots.system().forHttp();
        for (SslContext each : List.of(server, client)) {
            SSLEngine engine = each.newEngine(UnpooledByteBufAllocator.DEFAULT);
            assertThat(engine.getEnabledProtocols())
                    .filteredOn(version -> !version.equals(BORINGSSL_SAYS))
                    .containsExactlyInAnyOrder("TLSv1.3", "TLSv1.2");
            assertThat(engine.getEnabledCipherSuites())
                    .contains("TLS_AES_128_GCM_SHA256")
                    .noneMatch(suite -> suite.startsWith("TLS_RSA_") || suite.contains("_3DES_"));
            ReferenceCountUtil.release(engine);
        }
    }

    /// Long enough that lengths in the store have four bytes.
    @Test
    void storeHoldsAllRootsOfTheHost() throws Exception {
        TrustedRoots roots = TrustedRoots.system();
        TrustFiles files = TrustFiles.write(directory.resolve("all"), authority, roots);
        KeyStore store = KeyStore.getInstance(files.store().toFile(), (char[]) null);
        assertThat(store.size()).isEqualTo(roots.certificates().size() + 1).isGreaterThan(100);
        for (X509Certificate root : roots.certificates()) {
            assertThat(store.getCertificateAlias(root)).startsWith("ca-");
        }
        assertThat(TrustedRoots.in(files.bundle()).certificates())
                .startsWith(authority.certificate())
                .containsAll(roots.certificates());
    }

    @Test
    void filesHoldTheAuthorityAndTheRoots_andNoKey() throws Exception {
        Path pem = directory.resolve("roots.pem");
        Authority root = Authority.create("root", now);
        TrustFiles rootFiles =
                TrustFiles.write(
                        directory.resolve("root"),
                        root,
                        TrustedRoots.in(
                                TrustFiles.write(
                                                directory.resolve("x"), root, TrustedRoots.system())
                                        .authority()));
        Files.copy(rootFiles.authority(), pem);
        TrustFiles files =
                TrustFiles.write(directory.resolve("files"), authority, TrustedRoots.in(pem));
        assertThat(TrustedRoots.in(files.bundle()).certificates())
                .containsExactly(authority.certificate(), root.certificate());
        assertThat(TrustedRoots.in(files.authority()).certificates())
                .containsExactly(authority.certificate());
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(files.store())) {
            store.load(in, null);
        }
        assertThat(store.size()).isEqualTo(2);
        assertThat(store.getCertificate("door-0")).isEqualTo(authority.certificate());
        assertThat(store.getCertificate("ca-0")).isEqualTo(root.certificate());
        assertThat(store.isCertificateEntry("door-0") && store.isCertificateEntry("ca-0")).isTrue();
        for (Path file : List.of(files.authority(), files.bundle(), files.store())) {
            assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
                    .doesNotContain("PRIVATE");
        }
    }
}
