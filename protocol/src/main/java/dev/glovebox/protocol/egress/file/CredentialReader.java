package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.egress.Budget;
import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.credential.Projection;
import dev.glovebox.protocol.egress.credential.Source;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Reads one credential of a policy file.
final class CredentialReader {
    private static final Duration DEFAULT_TTL = Duration.ofMinutes(5);
    private static final String GITHUB = "https://api.github.com";

    private CredentialReader() {}

    static Optional<Credential> credential(Section section) {
        String name = section.required("name");
        Optional<Source> source = source(section, "source");
        Optional<Projection> projection = projection(section);
        Optional<Budget> budget = section.inner("budget", RuleReader::budget);
        if (!section.isSound()) {
            return Optional.empty();
        }
        return section.build(
                () -> new Credential(name, source.orElseThrow(), projection.orElseThrow(), budget));
    }

    private static Optional<Projection> projection(Section section) {
        List<Projection> others = new ArrayList<>();
        List<String> there = new ArrayList<>();
        other(section, "basic", CredentialReader::basic, others, there);
        other(section, "query", CredentialReader::query, others, there);
        other(section, "placeholder", CredentialReader::placeholder, others, there);
        other(section, "client-certificate", CredentialReader::certificate, others, there);
        other(section, "aws-sigv4", CredentialReader::aws, others, there);
        other(section, "ssh-key", CredentialReader::ssh, others, there);
        other(section, "postgres", CredentialReader::postgres, others, there);
        other(section, "redis", CredentialReader::redis, others, there);
        String header = section.text("header", text -> text).orElse("Authorization");
        String format = section.text("format", text -> text).orElse("{}");
        if (section.has("header") || section.has("format")) {
            there.add("header");
        }
        if (there.size() > 1) {
            section.problem(there.getLast(), "and " + there.getFirst() + ": only one of them");
            return Optional.empty();
        }
        return there.isEmpty() || there.getFirst().equals("header")
                ? section.build(() -> new Projection.Header(header, format))
                : others.stream().findFirst();
    }

    private static void other(
            Section section,
            String key,
            Function<Section, Optional<Projection>> part,
            List<Projection> others,
            List<String> there) {
        section.inner(key, part).ifPresent(others::add);
        if (section.has(key)) {
            there.add(key);
        }
    }

    private static Optional<Projection> basic(Section section) {
        String user = section.required("user");
        return sound(section, () -> new Projection.Basic(user));
    }

    private static Optional<Projection> query(Section section) {
        String parameter = section.required("parameter");
        return sound(section, () -> new Projection.Query(parameter));
    }

    private static Optional<Projection> placeholder(Section section) {
        String value = section.required("value");
        boolean bodies = section.flag("bodies");
        return sound(section, () -> new Projection.Placeholder(value, bodies));
    }

    private static Optional<Projection> certificate(Section section) {
        Optional<Source> key = source(section, "key");
        return sound(section, () -> new Projection.ClientCertificate(key.orElseThrow()));
    }

    private static Optional<Projection> aws(Section section) {
        String id = section.required("access-key-id");
        Optional<Source> token =
                section.has("session-token") ? source(section, "session-token") : Optional.empty();
        String region = section.required("region");
        String service = section.required("service");
        return sound(section, () -> new Projection.AwsSigV4(id, token, region, service));
    }

    private static Optional<Projection> ssh(Section section) {
        String user = section.required("user");
        String known = section.required("known-hosts");
        return sound(section, () -> new Projection.SshKey(user, known));
    }

    private static Optional<Projection> postgres(Section section) {
        String user = section.required("user");
        return sound(section, () -> new Projection.PostgresPassword(user));
    }

    private static Optional<Projection> redis(Section section) {
        Optional<String> user = section.text("user", text -> text);
        return sound(section, () -> new Projection.RedisAuth(user));
    }

    private interface Made<T> {
        T make();
    }

    private static <T> Optional<T> sound(Section section, Made<? extends T> made) {
        return section.isSound() ? section.build(made::make) : Optional.empty();
    }

    private static Optional<Source> source(Section section, String key) {
        if (!section.has(key)) {
            section.problem(
                    key,
                    "is missing: write where the secret is, such as {file: PATH} or {env: NAME}");
        }
        return section.inner(key, CredentialReader::source);
    }

    private static Optional<Source> source(Section section) {
        Optional<Source> file = section.text("file", Source.File::new);
        Optional<Source> env = section.text("env", Source.Environment::new);
        Optional<Source> command = command(section);
        Optional<Source> vault = section.inner("vault", CredentialReader::vault);
        Optional<Source> oauth = section.inner("oauth2", CredentialReader::oauth);
        Optional<Source> github = section.inner("github-app", CredentialReader::github);
        long there =
                List.of("file", "env", "command", "vault", "oauth2", "github-app").stream()
                        .filter(section::has)
                        .count();
        if (there != 1) {
            section.problem(
                    "needs exactly one of file, env, command, vault, oauth2 and github-app");
            return Optional.empty();
        }
        return file.or(() -> env)
                .or(() -> command)
                .or(() -> vault)
                .or(() -> oauth)
                .or(() -> github);
    }

    private static Optional<Source> command(Section section) {
        List<String> argv = section.scalars("command", text -> text);
        Duration ttl = section.text("ttl", Quantities::time).orElse(DEFAULT_TTL);
        if (section.has("ttl") && !section.has("command")) {
            section.problem("ttl", "is for command only");
        }
        return section.has("command")
                ? sound(section, () -> new Source.Command(argv, ttl))
                : Optional.empty();
    }

    private static Optional<Source> vault(Section section) {
        String url = section.required("url");
        String path = section.required("path");
        String field = section.required("field");
        Optional<Source.Vault.Login> role = section.inner("app-role", CredentialReader::role);
        Optional<Source.Vault.Login> login =
                section.has("app-role")
                        ? role
                        : source(section, "token").map(Source.Vault.Token::new);
        if (section.has("app-role") && section.has("token")) {
            section.problem("token", "and app-role: only one of them");
        }
        Optional<String> namespace = section.text("namespace", text -> text);
        return sound(
                section, () -> new Source.Vault(url, path, field, login.orElseThrow(), namespace));
    }

    private static Optional<Source.Vault.Login> role(Section section) {
        String id = section.required("role-id");
        String mount = section.text("mount", text -> text).orElse("approle");
        Optional<Source> secret = source(section, "secret-id");
        return sound(section, () -> new Source.Vault.AppRole(mount, id, secret.orElseThrow()));
    }

    private static Optional<Source> oauth(Section section) {
        String url = section.required("token-url");
        String client = section.required("client-id");
        Optional<Source> secret = source(section, "client-secret");
        Optional<Source> refresh =
                section.has("refresh-token") ? source(section, "refresh-token") : Optional.empty();
        List<String> scopes = section.scalars("scopes", text -> text);
        return sound(
                section,
                () -> new Source.OAuth2(url, client, secret.orElseThrow(), refresh, scopes));
    }

    private static Optional<Source> github(Section section) {
        String url = section.text("api-url", text -> text).orElse(GITHUB);
        Optional<String> app = section.scalar("app-id", text -> text);
        Optional<String> installation = section.scalar("installation-id", text -> text);
        Optional<Source> key = source(section, "private-key");
        for (String id : List.of("app-id", "installation-id")) {
            if (!section.has(id)) {
                section.problem(id, "is missing");
            }
        }
        return sound(
                section,
                () ->
                        new Source.GithubApp(
                                url,
                                app.orElseThrow(),
                                installation.orElseThrow(),
                                key.orElseThrow()));
    }
}
