package dev.glovebox.server.agent;

import dev.glovebox.protocol.IdKind;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Page;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Access;
import dev.glovebox.server.http.Call;
import dev.glovebox.server.http.Fields;
import dev.glovebox.server.http.Paging;
import dev.glovebox.server.http.Reply;
import dev.glovebox.server.http.Router;
import dev.glovebox.server.store.Store;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jdbi.v3.core.Handle;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/environments`: the places that sessions work in. Names are unique, archived ones included.
public final class EnvironmentsResource {
    private static final String PATH = "/v1/environments";
    private static final int DEFAULT_PAGE = 20;
    private static final int MAX_PAGE = 100;
    private static final int MAX_NAME = 256;
    private static final int MAX_DESCRIPTION = 2048;
    private static final Set<String> MEMBERS =
            Set.of("name", "description", "config", "metadata", "scope");

    private final Store store;
    private final RandomGenerator random;

    /// @param random for ids
    public EnvironmentsResource(Store store, RandomGenerator random) {
        this.store = store;
        this.random = random;
    }

    /// Adds the endpoints.
    public void addTo(Router router) {
        router.post(PATH, Access.OWNER, this::create)
                .get(PATH, Access.OWNER, this::list)
                .get(PATH + "/{e}", Access.OWNER, this::retrieve)
                .post(PATH + "/{e}", Access.OWNER, this::update)
                .delete(PATH + "/{e}", Access.OWNER, this::delete)
                .post(PATH + "/{e}/archive", Access.OWNER, this::archive);
    }

    private Reply create(Call call) {
        Fields sent = call.json().only(MEMBERS);
        sent.text("name");
        ObjectNode environment =
                Json.object().put("type", "environment").put("id", IdKind.ENVIRONMENT.next(random));
        environment.putNull("name").putNull("description");
        environment.set("config", EnvironmentConfig.cloud());
        environment.putObject("metadata");
        environment.put("scope", "organization");
        apply(environment, sent, true);
        return store.write(tx -> {
            String now = tx.now();
            environment.put("created_at", now).put("updated_at", now);
            environment.putNull("archived_at");
            mustBeFree(tx.handle(), environment);
            EnvironmentRows.insert(tx.handle(), environment);
            return Reply.ok(environment);
        });
    }

    private Reply retrieve(Call call) {
        return Reply.ok(store.<ObjectNode>read(h -> EnvironmentRows.require(h, call.path("e"))));
    }

    private Reply list(Call call) {
        Paging paging = Paging.of(call.query(), "environments", 2, DEFAULT_PAGE, MAX_PAGE);
        boolean archived = call.query().flag("include_archived");
        var cut = paging.cut(store.read(h -> EnvironmentRows.list(h, paging, archived)));
        return Reply.ok(
                new Page<>(
                        cut.rows(),
                        cut.more()
                                ? Paging.cursor(
                                        "environments",
                                        cut.rows().getLast().path("created_at").stringValue(),
                                        cut.rows().getLast().path("id").stringValue())
                                : null));
    }

    private Reply update(Call call) {
        Fields sent = call.json().only(MEMBERS);
        return store.write(tx -> {
            ObjectNode before = EnvironmentRows.require(tx.handle(), call.path("e"));
            if (!before.path("archived_at").isNull()) {
                throw new ProblemException(
                        Problem.of(
                                Problem.Kind.INVALID_REQUEST,
                                "environment " + call.path("e") + " is archived",
                                "environment_archived"));
            }
            ObjectNode after = before.deepCopy();
            apply(after, sent, false);
            if (!after.equals(before)) {
                mustBeFree(tx.handle(), after);
                EnvironmentRows.update(tx.handle(), after.put("updated_at", tx.now()));
            }
            return Reply.ok(after);
        });
    }

    private Reply archive(Call call) {
        call.jsonOrEmpty();
        return store.write(tx -> {
            ObjectNode environment = EnvironmentRows.require(tx.handle(), call.path("e"));
            if (environment.path("archived_at").isNull()) {
                String now = tx.now();
                environment.put("updated_at", now).put("archived_at", now);
                EnvironmentRows.update(tx.handle(), environment);
            }
            return Reply.ok(environment);
        });
    }

    private Reply delete(Call call) {
        String id = call.path("e");
        return store.write(tx -> {
            EnvironmentRows.require(tx.handle(), id);
            if (EnvironmentRows.hasSessions(tx.handle(), id)) {
                throw ProblemException.of(
                        Problem.Kind.CONFLICT,
                        "environment " + id + " has sessions: delete them first, or archive it");
            }
            EnvironmentRows.delete(tx.handle(), id);
            return Reply.deleted(id, "environment_deleted");
        });
    }

    private static void apply(ObjectNode environment, Fields sent, boolean fresh) {
        if (sent.has("name")) {
            environment.put("name", AgentRules.required(sent, "name", MAX_NAME));
        }
        if (sent.has("description")) {
            environment.put(
                    "description", sent.optionalText("description", MAX_DESCRIPTION).orElse(null));
        }
        sent.object("config")
                .map(c ->
                        fresh
                                ? EnvironmentConfig.create(c)
                                : EnvironmentConfig.update(environment.path("config"), c))
                .ifPresent(c -> environment.set("config", c));
        if (sent.optionalText("scope").isPresent()) {
            AgentRules.mustBe(sent, "scope", Set.of("organization"));
        }
        metadata(environment, sent);
    }

    /// Here an empty value deletes its key as `null` does, and a fault has a code of its own.
    private static void metadata(ObjectNode environment, Fields sent) {
        try {
            Map<String, Optional<String>> pairs = new HashMap<>(sent.metadata("metadata"));
            pairs.replaceAll((_, value) -> value.filter(v -> !v.isEmpty()));
            Metadata.merge(environment, sent, pairs);
        } catch (ProblemException e) {
            throw new ProblemException(
                    Problem.of(
                            Problem.Kind.INVALID_REQUEST,
                            e.problem().message(),
                            "invalid_metadata"));
        }
    }

    private static void mustBeFree(Handle handle, ObjectNode environment) {
        String name = environment.path("name").stringValue();
        if (EnvironmentRows.nameTaken(handle, name, environment.path("id").stringValue())) {
            throw ProblemException.of(
                    Problem.Kind.CONFLICT, "name: another environment is called " + name);
        }
    }
}
