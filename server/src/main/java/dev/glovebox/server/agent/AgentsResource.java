package dev.glovebox.server.agent;

import dev.glovebox.protocol.IdKind;
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
import java.util.OptionalLong;
import java.util.random.RandomGenerator;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/agents`: agents and their versions. A version never changes; an update that changes
/// anything makes the next one.
public final class AgentsResource {
    private static final String PATH = "/v1/agents";
    private static final int DEFAULT_PAGE = 20;
    private static final int MAX_PAGE = 100;

    private final Store store;
    private final AgentForm form;
    private final RandomGenerator random;

    /// @param rules check what clients send
    /// @param random for ids
    public AgentsResource(Store store, AgentRules rules, RandomGenerator random) {
        this.store = store;
        this.form = new AgentForm(rules);
        this.random = random;
    }

    /// Adds the endpoints.
    public void addTo(Router router) {
        router.post(PATH, Access.OWNER, this::create)
                .get(PATH, Access.OWNER, this::list)
                .get(PATH + "/{a}", Access.OWNER, this::retrieve)
                .post(PATH + "/{a}", Access.OWNER, this::update)
                .post(PATH + "/{a}/archive", Access.OWNER, this::archive)
                .get(PATH + "/{a}/versions", Access.OWNER, this::versions);
    }

    private Reply create(Call call) {
        ObjectNode agent = form.create(call.json());
        agent.put("id", IdKind.AGENT.next(random)).put("version", 1L);
        return store.write(tx -> {
            String now = tx.now();
            agent.put("created_at", now).put("updated_at", now).putNull("archived_at");
            AgentRows.insert(tx.handle(), agent);
            return Reply.ok(agent);
        });
    }

    private Reply retrieve(Call call) {
        OptionalLong version = call.query().number("version", 1, Integer.MAX_VALUE);
        return Reply.ok(
                store.<ObjectNode>read(
                        handle -> AgentRows.require(handle, call.path("a"), version)));
    }

    private Reply list(Call call) {
        Paging paging = Paging.of(call.query(), "agents", 2, DEFAULT_PAGE, MAX_PAGE);
        var from = call.query().time("created_at[gte]");
        var to = call.query().time("created_at[lte]");
        boolean archived = call.query().flag("include_archived");
        var cut =
                paging.cut(
                        store.read(handle -> AgentRows.list(handle, paging, from, to, archived)));
        return Reply.ok(
                new Page<>(
                        cut.rows(),
                        cut.more()
                                ? Paging.cursor(
                                        "agents",
                                        text(cut.rows().getLast(), "created_at"),
                                        text(cut.rows().getLast(), "id"))
                                : null));
    }

    private Reply update(Call call) {
        String id = call.path("a");
        Fields sent = call.json();
        OptionalLong expected = sent.number("version", 1, Integer.MAX_VALUE);
        return store.write(tx -> {
            ObjectNode latest = AgentRows.require(tx.handle(), id, OptionalLong.empty());
            mustBeCurrent(latest, expected);
            ObjectNode updated = form.update(latest, sent);
            if (!updated.equals(latest)) {
                updated.put("version", latest.path("version").longValue() + 1);
                updated.put("updated_at", tx.now());
                AgentRows.update(tx.handle(), updated);
            }
            return Reply.ok(updated);
        });
    }

    private static void mustBeCurrent(ObjectNode latest, OptionalLong expected) {
        if (!latest.path("archived_at").isNull()) {
            throw ProblemException.invalid("agent " + text(latest, "id") + " is archived");
        }
        long version = latest.path("version").longValue();
        if (expected.isPresent() && expected.getAsLong() != version) {
            throw ProblemException.of(
                    Problem.Kind.CONFLICT,
                    "version: the agent is at version "
                            + version
                            + ", not "
                            + expected.getAsLong()
                            + "; retrieve it and update that");
        }
    }

    private Reply archive(Call call) {
        call.jsonOrEmpty();
        String id = call.path("a");
        return store.write(tx -> {
            AgentRows.archive(tx.handle(), id, tx.now());
            return Reply.ok(AgentRows.require(tx.handle(), id, OptionalLong.empty()));
        });
    }

    private Reply versions(Call call) {
        String id = call.path("a");
        String scope = "versions " + id;
        Paging paging = Paging.of(call.query(), scope, 1, DEFAULT_PAGE, MAX_PAGE);
        var cut =
                paging.cut(
                        store.read(handle -> {
                            AgentRows.require(handle, id, OptionalLong.empty());
                            return AgentRows.versions(handle, id, paging);
                        }));
        return Reply.ok(
                new Page<>(
                        cut.rows(),
                        cut.more()
                                ? Paging.cursor(
                                        scope,
                                        Long.toString(
                                                cut.rows().getLast().path("version").longValue()))
                                : null));
    }

    private static String text(ObjectNode agent, String name) {
        return agent.path(name).stringValue();
    }
}
