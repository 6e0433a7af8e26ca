package dev.glovebox.egress.credential;

import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.credential.Projection;
import dev.glovebox.protocol.egress.credential.Source;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/// The secrets of all doors of one worker. Doors whose credentials have equal sources share the
/// value, so that a service is asked once and a refresh token that may be used once is used once.
/// Thread-safe.
public final class CredentialStore implements AutoCloseable {
    private static final Duration COMMAND = Duration.ofSeconds(10);
    private static final int SOURCES = 1024;
    private static final int FETCHES = 8;
    private static final int WAITING = 256;

    private final InstantSource clock = InstantSource.system();
    private final WorkerHttp http = new WorkerHttp();
    private final ThreadPoolExecutor fetches;
    private final Map<Source, LiveSecret> secrets =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Source, LiveSecret> eldest) {
                    return size() > SOURCES;
                }
            };

    /// A store that holds nothing yet.
    public CredentialStore() {
        fetches =
                new ThreadPoolExecutor(
                        FETCHES,
                        FETCHES,
                        30,
                        TimeUnit.SECONDS,
                        new ArrayBlockingQueue<>(WAITING),
                        new DefaultThreadFactory("egress-credential", true));
        fetches.allowCoreThreadTimeOut(true);
    }

    /// Makes a credential usable by one door.
    public BoundCredential bind(Credential credential) {
        List<LiveSecret> live = new ArrayList<>(List.of(live(credential.source())));
        switch (credential.projection()) {
            case Projection.ClientCertificate(Source key) -> live.add(live(key));
            case Projection.AwsSigV4(_, Optional<Source> token, _, _) ->
                    token.ifPresent(source -> live.add(live(source)));
            default -> {}
        }
        return new BoundCredential(credential, live, clock);
    }

    /// A secret that is no credential of a policy, shared like those.
    public LiveSecret secret(Source source) {
        return live(source);
    }

    private synchronized LiveSecret live(Source source) {
        return secrets.computeIfAbsent(
                source, _ -> new LiveSecret(machine(source), fetches, clock));
    }

    private SecretSource machine(Source source) {
        return switch (source) {
            case Source.File(String path) -> new FileSource(Path.of(path));
            case Source.Environment(String name) -> new EnvironmentSource(name, System.getenv());
            case Source.Command(List<String> argv, Duration ttl) ->
                    new CommandSource(argv, ttl, COMMAND, clock);
            case Source.Vault vault ->
                    new VaultSource(
                            new VaultSource.Place(
                                    URI.create(vault.url()),
                                    vault.namespace(),
                                    vault.path(),
                                    vault.field()),
                            login(vault.login()),
                            http,
                            clock);
            case Source.OAuth2 oauth ->
                    new OAuth2Source(
                            URI.create(oauth.tokenUrl()),
                            oauth.clientId(),
                            machine(oauth.clientSecret()),
                            oauth.refreshToken().map(this::machine),
                            oauth.scopes(),
                            http,
                            clock);
            case Source.GithubApp app ->
                    new GithubAppSource(
                            URI.create(app.apiUrl()),
                            app.appId(),
                            app.installationId(),
                            machine(app.privateKey()),
                            http,
                            clock);
        };
    }

    private VaultSource.Auth login(Source.Vault.Login login) {
        return switch (login) {
            case Source.Vault.Token(Source token) -> new VaultSource.Auth.Given(machine(token));
            case Source.Vault.AppRole(String mount, String roleId, Source secretId) ->
                    new VaultSource.Auth.AppRole(mount, roleId, machine(secretId));
        };
    }

    /// Ends what is being fetched. Idempotent.
    @Override
    public void close() {
        fetches.shutdownNow();
        http.close();
    }
}
