package dev.glovebox.egress.ssh;

import dev.glovebox.protocol.Secret;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.auth.pubkey.UserAuthPublicKeyFactory;
import org.apache.sshd.client.config.hosts.HostConfigEntryResolver;
import org.apache.sshd.common.NamedFactory;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.compression.BuiltinCompressions;
import org.apache.sshd.common.config.keys.FilePasswordProvider;
import org.apache.sshd.common.global.KeepAliveHandler;
import org.apache.sshd.common.helpers.AbstractFactoryManager;
import org.apache.sshd.common.keyprovider.KeyIdentityProvider;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.signature.Signature;
import org.apache.sshd.common.util.security.SecurityUtils;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.auth.UserAuthNoneFactory;
import org.apache.sshd.server.channel.ChannelSessionFactory;
import org.apache.sshd.server.command.CommandFactory;
import org.apache.sshd.server.forward.RejectAllForwardingFilter;
import org.apache.sshd.server.global.NoMoreSessionsHandler;
import org.apache.sshd.server.session.ServerConnectionServiceFactory;

/// Apache MINA SSHD as the door uses it: with what the door needs and nothing else. Neither side
/// listens, dials or reads a file of its own accord.
final class Engines {
    private static final long WINDOW = 256 * 1024;
    private static final int CHANNELS = 10;
    private static final Duration STALLED = Duration.ofMinutes(10);

    /// Timers of MINA; nothing of ours runs there.
    private static final ScheduledExecutorService TIMER =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("egress-ssh-timer").factory());

    private Engines() {}

    /// Towards the sandbox: whoever comes is let in, for who it is was known before; only sessions,
    /// and in them only commands. Nothing is forwarded in any direction.
    static SshServer server(HostKey key, CommandFactory commands) {
        SshServer server = SshServer.setUpDefaultServer();
        common(server);
        server.setKeyPairProvider(KeyPairProvider.wrap(key.keys()));
        server.setUserAuthFactories(List.of(UserAuthNoneFactory.INSTANCE));
        server.setServiceFactories(
                List.of(new OpenLogin.Factory(), ServerConnectionServiceFactory.INSTANCE));
        server.setChannelFactories(List.of(ChannelSessionFactory.INSTANCE));
        server.setGlobalRequestHandlers(
                List.of(KeepAliveHandler.INSTANCE, NoMoreSessionsHandler.INSTANCE));
        server.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
        server.setSubsystemFactories(List.of());
        server.setShellFactory(null);
        server.setCommandFactory(commands);
        return server;
    }

    /// Towards the real host: one key, and only a host that is known.
    static SshClient client(KnownHosts hosts) {
        SshClient client = SshClient.setUpDefaultClient();
        common(client);
        List<NamedFactory<Signature>> all = client.getSignatureFactories();
        client.setUserAuthFactories(List.of(new UserAuthPublicKeyFactory(all)));
        client.setSignatureFactories(
                all.stream().filter(each -> signs(hosts.types(), each.getName())).toList());
        client.setServerKeyVerifier(hosts);
        client.setServiceFactories(SshClient.DEFAULT_SERVICE_FACTORIES);
        client.setHostConfigEntryResolver(HostConfigEntryResolver.EMPTY);
        client.setKeyIdentityProvider(KeyIdentityProvider.EMPTY_KEYS_PROVIDER);
        client.setChannelFactories(List.of());
        client.setGlobalRequestHandlers(List.of(KeepAliveHandler.INSTANCE));
        client.setForwardingFilter(RejectAllForwardingFilter.INSTANCE);
        return client;
    }

    private static void common(AbstractFactoryManager manager) {
        manager.setScheduledExecutorService(TIMER, false);
        manager.setCompressionFactories(List.of(BuiltinCompressions.none));
        manager.setAgentFactory(null);
        CoreModuleProperties.WINDOW_SIZE.set(manager, WINDOW);
        CoreModuleProperties.MAX_CONCURRENT_CHANNELS.set(manager, CHANNELS);
        CoreModuleProperties.WINDOW_TIMEOUT.set(manager, STALLED);
        CoreModuleProperties.WAIT_FOR_SPACE_TIMEOUT.set(manager, STALLED);
    }

    /// An RSA key signs with SHA-2 only (RFC 8332).
    private static boolean signs(Set<String> types, String signature) {
        return signature.startsWith("rsa-sha2-")
                ? types.contains("ssh-rsa")
                : !signature.equals("ssh-rsa") && types.contains(signature);
    }

    /// Reads a private key.
    ///
    /// @throws IOException if it is not one, or is behind a passphrase; the message does not show
    ///   it
    static KeyPair key(Secret secret) throws IOException {
        try (InputStream in =
                new ByteArrayInputStream(
                        (secret.reveal().strip() + "\n").getBytes(StandardCharsets.UTF_8))) {
            Iterator<KeyPair> keys =
                    SecurityUtils.loadKeyPairIdentities(
                                    null,
                                    NamedResource.ofName("credential"),
                                    in,
                                    FilePasswordProvider.EMPTY)
                            .iterator();
            return keys.next();
        } catch (GeneralSecurityException | RuntimeException e) {
            throw new IOException("the credential is not a private key without a passphrase");
        }
    }
}
