package dev.glovebox.egress;

import dev.glovebox.egress.credential.BoundCredential;
import dev.glovebox.egress.postgres.PostgresGate;
import dev.glovebox.egress.postgres.PostgresLogin;
import dev.glovebox.egress.redis.RedisGate;
import dev.glovebox.egress.redis.RedisLogin;
import dev.glovebox.egress.ssh.CommandRules;
import dev.glovebox.egress.ssh.SshGate;
import dev.glovebox.egress.ssh.SshLogin;
import dev.glovebox.egress.tls.UpstreamTls;
import dev.glovebox.egress.wire.Relay;
import dev.glovebox.egress.wire.Reset;
import dev.glovebox.egress.wire.Wire;
import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.credential.CredentialUse;
import dev.glovebox.protocol.egress.credential.Projection;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import dev.glovebox.protocol.egress.request.RequestTerms;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelPipeline;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// A connection on which the door logs in for the sandbox: a rule of protocol `ssh`, `postgres` or
/// `redis` with a credential.
///
/// The value that is good now is got first, so a rotated one counts from the next connection; then
/// the machine of the protocol stands at the end of the pipeline, for which this is the wire.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class Login implements Wire {
    private final Flow flow;

    private Login(Flow flow) {
        this.flow = flow;
    }

    /// Begins; what cannot be done is refused.
    static void begin(Flow flow, BoundCredential credential, ChannelPipeline pipeline) {
        Optional<String> spent = credential.spend();
        if (spent.isPresent()) {
            flow.refuse(spent.get());
            return;
        }
        credential.values(
                flow.client().eventLoop(),
                values -> {
                    if (flow.client().isActive()) {
                        pipeline.addLast(
                                machine(
                                        flow,
                                        credential.credential().projection(),
                                        values.secret()));
                    }
                },
                flow::refuse);
    }

    private static ChannelHandler machine(Flow flow, Projection projection, Secret secret) {
        Login wire = new Login(flow);
        Destination to = flow.destination();
        RequestTerms terms = flow.rule().requests().orElse(RequestTerms.ANY);
        return switch (projection) {
            case Projection.SshKey(String user, String knownHosts) ->
                    new SshGate(
                            wire,
                            new SshLogin(user, secret, Path.of(knownHosts), commands(terms)),
                            flow.door().trust().hostKey(),
                            to.host().text(),
                            to.port());
            case Projection.PostgresPassword(String user) ->
                    new PostgresGate(
                            wire,
                            new PostgresLogin(
                                    user, secret, database -> gives(terms, escaped(database))),
                            flow.door().backendKeys());
            case Projection.RedisAuth(Optional<String> user) ->
                    new RedisGate(wire, new RedisLogin(user, secret, terms.methods()));
            default -> throw new IllegalStateException("not a login: " + projection);
        };
    }

    private static CommandRules commands(RequestTerms terms) {
        return new CommandRules(
                terms.methods().stream()
                        .map(method -> method.toLowerCase(Locale.ROOT))
                        .collect(Collectors.toUnmodifiableSet()),
                path -> gives(terms, path));
    }

    private static boolean gives(RequestTerms terms, String path) {
        if (terms.paths().isEmpty()) {
            return true;
        }
        try {
            CanonicalPath canonical = CanonicalPath.of(path);
            return canonical.query().isEmpty()
                    && terms.paths().stream().anyMatch(each -> each.matches(canonical));
        } catch (PolicyException e) {
            return false;
        }
    }

    private static String escaped(String database) {
        return "/" + URLEncoder.encode(database, StandardCharsets.UTF_8).replace("+", "%20");
    }

    @Override
    public Channel client() {
        return flow.client();
    }

    @Override
    public String destination() {
        return flow.destination().toString();
    }

    @Override
    public String rule() {
        return flow.rule().name();
    }

    @Override
    public Duration patience() {
        return flow.door().limits().connect();
    }

    @Override
    public boolean clear() {
        return flow.rule().credential().filter(CredentialUse::insecure).isPresent();
    }

    @Override
    public void dial(Consumer<Channel> connected, Consumer<String> failed) {
        flow.door()
                .dialler()
                .dial(
                        flow,
                        upstream -> {
                            client().closeFuture().addListener(_ -> upstream.close());
                            connected.accept(upstream);
                        },
                        failed);
    }

    @Override
    public void secure(Channel upstream, Runnable done, Consumer<String> failed) {
        UpstreamTls.begin(
                upstream,
                flow.door().trust().roots().forOthers(),
                flow.destination().host().text(),
                flow.destination().port(),
                patience(),
                _ -> done.run(),
                reason -> {
                    denied(reason);
                    failed.accept(reason);
                });
    }

    @Override
    public void relay(Channel upstream, ChannelHandler judge) {
        Relay.join(client(), upstream, judge);
    }

    @Override
    public void denied(String reason) {
        flow.deny(reason);
    }

    @Override
    public void reset() {
        Reset.send(client());
    }
}
