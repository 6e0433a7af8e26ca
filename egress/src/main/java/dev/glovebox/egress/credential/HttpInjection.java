package dev.glovebox.egress.credential;

import dev.glovebox.egress.http.EchoGuard;
import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.egress.http.Injection;
import dev.glovebox.egress.wire.Allowance;
import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.credential.Projection;
import io.netty.channel.ChannelHandler;
import io.netty.handler.codec.http.HttpRequest;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// One value of a credential, put on HTTP requests as its projection says.
///
/// Equal to another with the same value, whatever the budget.
final class HttpInjection implements Injection {
    private static final Set<String> NONE = Set.of();
    private static final Set<String> OWN_LOGIN = Set.of("authorization", "cookie");

    private final Credential credential;
    private final List<Secret> secrets;
    private final Optional<Allowance> allowance;
    private final Optional<Secret> header;
    private final Optional<EchoGuard.Forms> echoes;
    private final Optional<Identity> identity;
    private final Optional<AwsSigning> aws;

    /// @param secrets the credential's own, then the second one that some projections have
    /// @throws CredentialException if the secret cannot be put where the projection wants it
    HttpInjection(
            Credential credential,
            List<Secret> secrets,
            Optional<Allowance> allowance,
            InstantSource clock)
            throws CredentialException {
        this.credential = credential;
        this.secrets = List.copyOf(secrets);
        this.allowance = allowance;
        Secret secret = secrets.getFirst();
        Optional<Secret> second = secrets.stream().skip(1).findFirst();
        this.header = header(credential.projection(), secret);
        this.identity = identity(credential.projection(), secret, second);
        this.aws =
                credential.projection() instanceof Projection.AwsSigV4 signing
                        ? Optional.of(new AwsSigning(signing, secret, second, clock))
                        : Optional.empty();
        if (credential.projection() instanceof Projection.Placeholder
                && !secret.reveal().matches("[!-~]([ -~]*[!-~])?")) {
            throw new CredentialException("it holds characters that no header may carry");
        }
        this.echoes = EchoGuard.Forms.of(travelling(credential.projection(), secret, second));
    }

    private static Optional<Secret> header(Projection projection, Secret secret)
            throws CredentialException {
        try {
            return switch (projection) {
                case Projection.Header header -> Optional.of(header.render(secret));
                case Projection.Basic(String user) -> Optional.of(basic(user, secret));
                default -> Optional.empty();
            };
        } catch (PolicyException e) {
            throw new CredentialException("it holds characters that no header may carry");
        }
    }

    /// RFC 7617 §2: no control characters in either part.
    private static Secret basic(String user, Secret secret) throws CredentialException {
        if (secret.reveal().chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
            throw new CredentialException("it holds characters that no password may have");
        }
        byte[] pair = (user + ":" + secret.reveal()).getBytes(StandardCharsets.UTF_8);
        return new Secret("Basic " + Base64.getEncoder().encodeToString(pair));
    }

    private static Optional<Identity> identity(
            Projection projection, Secret secret, Optional<Secret> key) throws CredentialException {
        if (!(projection instanceof Projection.ClientCertificate)) {
            return Optional.empty();
        }
        return Optional.of(
                new Identity(PemKeys.privateKey(key.orElse(secret)), PemKeys.chain(secret)));
    }

    /// The secrets that are in what is sent. A key that only signs never is.
    private static List<Secret> travelling(
            Projection projection, Secret secret, Optional<Secret> second) {
        return switch (projection) {
            case Projection.ClientCertificate _ -> List.of();
            case Projection.AwsSigV4 _ -> second.stream().toList();
            case Projection.Basic(String user) -> List.of(secret, pair(user, secret));
            default -> List.of(secret);
        };
    }

    private static Secret pair(String user, Secret secret) {
        return new Secret(user + ":" + secret.reveal());
    }

    @Override
    public Set<String> replaced() {
        return switch (credential.projection()) {
            case Projection.Header(String name, _) -> {
                String folded = HttpMessages.folded(name);
                yield Set.of("authorization", "cookie").contains(folded)
                        ? OWN_LOGIN
                        : Set.of(folded, "authorization", "cookie");
            }
            case Projection.Basic _ -> OWN_LOGIN;
            case Projection.Query _ -> Set.of("authorization", "cookie", "referer");
            default -> NONE;
        };
    }

    @Override
    public Optional<HttpMessages.Fault> project(HttpRequest sent, boolean secure) {
        return switch (credential.projection()) {
            case Projection.Header(String name, _) -> set(sent, name);
            case Projection.Basic _ -> set(sent, "Authorization");
            case Projection.Query(String parameter) ->
                    new QueryParameter(parameter, secrets.getFirst()).project(sent);
            case Projection.Placeholder(String placeholder, boolean bodies) ->
                    new HeaderPlaceholder(placeholder, bodies, secrets.getFirst()).project(sent);
            case Projection.AwsSigV4 _ -> aws.flatMap(each -> each.project(sent, secure));
            default -> Optional.empty();
        };
    }

    private Optional<HttpMessages.Fault> set(HttpRequest sent, String name) {
        header.ifPresent(value -> sent.headers().set(name, value.reveal()));
        return Optional.empty();
    }

    @Override
    public ChannelHandler handler(HttpRequest sent) {
        return new RequestBody(work(sent));
    }

    private RequestBody.Work work(HttpRequest sent) {
        if (aws.isPresent()) {
            return aws.get().work(sent);
        }
        return credential.projection()
                        instanceof Projection.Placeholder(String text, boolean bodies)
                ? new HeaderPlaceholder(text, bodies, secrets.getFirst()).work(sent)
                : new RequestBody.Work.Nothing();
    }

    @Override
    public Optional<EchoGuard.Forms> echoes() {
        return echoes;
    }

    @Override
    public Optional<Identity> identity() {
        return identity;
    }

    /// Whether it puts on these secrets.
    boolean carries(List<Secret> others) {
        return secrets.equals(others);
    }

    /// Takes one request out of the budget.
    ///
    /// @return why not
    Optional<HttpMessages.Fault> spend() {
        return allowance
                .filter(each -> !each.request())
                .map(each -> new HttpMessages.Fault(429, each.refusal()));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HttpInjection that
                && credential.equals(that.credential)
                && secrets.equals(that.secrets);
    }

    @Override
    public int hashCode() {
        return credential.hashCode();
    }

    @Override
    public String toString() {
        return "credential " + credential.name();
    }

    /// Puts a secret into the query of a request, once and at its end; what the client sent under
    /// that name, in any spelling, goes.
    ///
    /// @param name of the parameter
    private record QueryParameter(String name, Secret secret) {
        Optional<HttpMessages.Fault> project(HttpRequest sent) {
            int question = sent.uri().indexOf('?');
            String path = question < 0 ? sent.uri() : sent.uri().substring(0, question);
            String query = question < 0 ? "" : sent.uri().substring(question + 1);
            if (query.indexOf(';') >= 0) {
                return Optional.of(
                        new HttpMessages.Fault(
                                400, "its query has a \";\", which some servers read as \"&\""));
            }
            StringBuilder kept = new StringBuilder();
            for (String pair : query.split("&", -1)) {
                int equals = pair.indexOf('=');
                String key = equals < 0 ? pair : pair.substring(0, equals);
                try {
                    if (!pair.isEmpty()
                            && !URLDecoder.decode(key, StandardCharsets.UTF_8)
                                    .strip()
                                    .equalsIgnoreCase(name)) {
                        kept.append(pair).append('&');
                    }
                } catch (IllegalArgumentException e) {
                    return Optional.of(
                            new HttpMessages.Fault(400, "its query is not well encoded"));
                }
            }
            String value = URLEncoder.encode(secret.reveal(), StandardCharsets.UTF_8);
            sent.setUri(path + "?" + kept + name + "=" + value.replace("+", "%20"));
            return Optional.empty();
        }
    }
}
