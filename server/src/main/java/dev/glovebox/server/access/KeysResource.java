package dev.glovebox.server.access;

import dev.glovebox.protocol.IdKind;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Page;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.protocol.Secret;
import dev.glovebox.server.agent.Environments;
import dev.glovebox.server.http.Access;
import dev.glovebox.server.http.Call;
import dev.glovebox.server.http.Fields;
import dev.glovebox.server.http.Paging;
import dev.glovebox.server.http.Reply;
import dev.glovebox.server.http.Router;
import dev.glovebox.server.store.Store;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jdbi.v3.core.Handle;
import tools.jackson.databind.node.ObjectNode;

/// `/glovebox/v1/environments/{e}/keys`: environment keys, which the hosted service mints only on
/// its console. A key's text is in the answer to its creation and nowhere else.
public final class KeysResource {
    private static final String PATH = "/glovebox/v1/environments/{e}/keys";
    private static final int MAX_NAME = 256;

    private final Store store;
    private final Credentials credentials;
    private final RandomGenerator random;

    /// @param random for ids
    public KeysResource(Store store, Credentials credentials, RandomGenerator random) {
        this.store = store;
        this.credentials = credentials;
        this.random = random;
    }

    /// Adds the endpoints.
    public void addTo(Router router) {
        router.post(PATH, Access.OWNER, this::create)
                .get(PATH, Access.OWNER, this::list)
                .delete(PATH + "/{k}", Access.OWNER, this::revoke);
    }

    private Reply create(Call call) {
        Fields sent = call.jsonOrEmpty().only(Set.of("name"));
        String name = sent.optionalText("name", MAX_NAME).orElse("");
        String environment = call.path("e");
        String id = IdKind.ENVIRONMENT_KEY.next(random);
        return store.write(tx -> {
            Environments.requireSelfHosted(tx.handle(), environment);
            Secret key =
                    credentials.mint(tx, Credentials.Grant.environmentKey(id, name, environment));
            return Reply.ok(find(tx.handle(), environment, id).put("key", key.reveal()));
        });
    }

    private Reply list(Call call) {
        String environment = call.path("e");
        Paging paging = Paging.of(call.query(), "keys " + environment, 2, 20, 100);
        return store.read(handle -> {
            Environments.require(handle, environment);
            var cut = paging.cut(page(handle, environment, paging));
            return Reply.ok(new Page<>(cut.rows(), next(environment, cut)));
        });
    }

    private static List<ObjectNode> page(Handle handle, String environment, Paging paging) {
        List<String> after = paging.after().orElse(List.of("", ""));
        return handle.createQuery(
                        """
                        SELECT id, name, hint, created_at, revoked_at FROM credentials
                        WHERE environment_id = :environment AND kind = 'environment_key'
                          AND (created_at, id) > (:created, :id)
                        ORDER BY created_at, id LIMIT :limit
                        """)
                .bind("environment", environment)
                .bind("created", after.getFirst())
                .bind("id", after.getLast())
                .bind("limit", paging.limit() + 1)
                .map((row, _) -> key(row, environment))
                .list();
    }

    private static @org.jspecify.annotations.Nullable String next(
            String environment, Paging.Cut<ObjectNode> cut) {
        if (!cut.more()) {
            return null;
        }
        ObjectNode last = cut.rows().getLast();
        return Paging.cursor(
                "keys " + environment,
                last.path("created_at").stringValue(),
                last.path("id").stringValue());
    }

    private Reply revoke(Call call) {
        String environment = call.path("e");
        String id = call.path("k");
        return store.write(tx -> {
            find(tx.handle(), environment, id);
            tx.handle()
                    .createUpdate(
                            """
                            UPDATE credentials SET revoked_at = coalesce(revoked_at, :now)
                            WHERE id = :id
                            """)
                    .bind("now", tx.now())
                    .bind("id", id)
                    .execute();
            return Reply.deleted(id, "environment_key_deleted");
        });
    }

    private static ObjectNode find(Handle handle, String environment, String id) {
        return handle.createQuery(
                        """
                        SELECT id, name, hint, created_at, revoked_at FROM credentials
                        WHERE id = :id AND environment_id = :environment
                          AND kind = 'environment_key'
                        """)
                .bind("id", id)
                .bind("environment", environment)
                .map((row, _) -> key(row, environment))
                .findOne()
                .orElseThrow(() ->
                        ProblemException.of(
                                Problem.Kind.NOT_FOUND,
                                "environment key " + id + " does not exist"));
    }

    private static ObjectNode key(java.sql.ResultSet row, String environment)
            throws java.sql.SQLException {
        return Json.object()
                .put("type", "environment_key")
                .put("id", row.getString("id"))
                .put("environment_id", environment)
                .put("name", row.getString("name"))
                .put("hint", row.getString("hint"))
                .put("created_at", row.getString("created_at"))
                .put("revoked_at", row.getString("revoked_at"));
    }
}
