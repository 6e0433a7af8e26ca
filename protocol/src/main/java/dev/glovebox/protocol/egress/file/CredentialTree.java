package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.credential.Projection;
import dev.glovebox.protocol.egress.credential.Source;
import tools.jackson.databind.node.ObjectNode;

/// A credential written down as [CredentialReader] reads it. There is no secret in it, only where
/// the worker finds one.
final class CredentialTree {
    private CredentialTree() {}

    static ObjectNode of(Credential credential) {
        ObjectNode tree = Json.object().put("name", credential.name());
        projection(tree, credential.projection());
        tree.set("source", source(credential.source()));
        credential.budget().ifPresent(budget -> tree.set("budget", PolicyTree.budget(budget)));
        return tree;
    }

    /// The key under which it stands in a policy file.
    static String projectionWord(Projection projection) {
        return switch (projection) {
            case Projection.Header _ -> "header";
            case Projection.Basic _ -> "basic";
            case Projection.Query _ -> "query";
            case Projection.Placeholder _ -> "placeholder";
            case Projection.ClientCertificate _ -> "client-certificate";
            case Projection.AwsSigV4 _ -> "aws-sigv4";
            case Projection.SshKey _ -> "ssh-key";
            case Projection.PostgresPassword _ -> "postgres";
            case Projection.RedisAuth _ -> "redis";
        };
    }

    /// The key under which it stands in a policy file.
    static String sourceWord(Source source) {
        return switch (source) {
            case Source.File _ -> "file";
            case Source.Environment _ -> "env";
            case Source.Command _ -> "command";
            case Source.Vault _ -> "vault";
            case Source.OAuth2 _ -> "oauth2";
            case Source.GithubApp _ -> "github-app";
        };
    }

    private static void projection(ObjectNode tree, Projection projection) {
        if (projection instanceof Projection.Header(String name, String format)) {
            tree.put("header", name).put("format", format);
            return;
        }
        ObjectNode inner = tree.putObject(projectionWord(projection));
        switch (projection) {
            case Projection.Header _ -> {}
            case Projection.Basic(String user) -> inner.put("user", user);
            case Projection.Query(String parameter) -> inner.put("parameter", parameter);
            case Projection.Placeholder(String value, boolean bodies) -> {
                inner.put("value", value);
                if (bodies) {
                    inner.put("bodies", true);
                }
            }
            case Projection.ClientCertificate(Source key) -> inner.set("key", source(key));
            case Projection.AwsSigV4 aws -> {
                inner.put("access-key-id", aws.accessKeyId());
                aws.sessionToken().ifPresent(token -> inner.set("session-token", source(token)));
                inner.put("region", aws.region()).put("service", aws.service());
            }
            case Projection.SshKey(String user, String known) ->
                    inner.put("user", user).put("known-hosts", known);
            case Projection.PostgresPassword(String user) -> inner.put("user", user);
            case Projection.RedisAuth redis ->
                    redis.user().ifPresent(user -> inner.put("user", user));
        }
    }

    private static ObjectNode source(Source source) {
        ObjectNode tree = Json.object();
        switch (source) {
            case Source.File(String path) -> tree.put("file", path);
            case Source.Environment(String name) -> tree.put("env", name);
            case Source.Command command -> {
                command.argv().forEach(tree.putArray("command")::add);
                tree.put("ttl", Quantities.time(command.ttl()));
            }
            case Source.Vault vault -> vault(tree.putObject("vault"), vault);
            case Source.OAuth2 oauth -> {
                ObjectNode inner = tree.putObject("oauth2");
                inner.put("token-url", oauth.tokenUrl()).put("client-id", oauth.clientId());
                inner.set("client-secret", source(oauth.clientSecret()));
                oauth.refreshToken().ifPresent(token -> inner.set("refresh-token", source(token)));
                if (!oauth.scopes().isEmpty()) {
                    oauth.scopes().forEach(inner.putArray("scopes")::add);
                }
            }
            case Source.GithubApp app ->
                    tree.putObject("github-app")
                            .put("api-url", app.apiUrl())
                            .put("app-id", app.appId())
                            .put("installation-id", app.installationId())
                            .set("private-key", source(app.privateKey()));
        }
        return tree;
    }

    private static void vault(ObjectNode tree, Source.Vault vault) {
        tree.put("url", vault.url()).put("path", vault.path()).put("field", vault.field());
        switch (vault.login()) {
            case Source.Vault.Token(Source token) -> tree.set("token", source(token));
            case Source.Vault.AppRole(String mount, String role, Source secret) ->
                    tree.putObject("app-role")
                            .put("mount", mount)
                            .put("role-id", role)
                            .set("secret-id", source(secret));
        }
        vault.namespace().ifPresent(name -> tree.put("namespace", name));
    }
}
