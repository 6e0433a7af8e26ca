package dev.glovebox.server.work;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Page;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.protocol.work.Heartbeat;
import dev.glovebox.server.agent.Environments;
import dev.glovebox.server.http.Access;
import dev.glovebox.server.http.Call;
import dev.glovebox.server.http.Fields;
import dev.glovebox.server.http.Paging;
import dev.glovebox.server.http.Reply;
import dev.glovebox.server.http.Router;
import dev.glovebox.server.store.Store;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/environments/{e}/work`: the queue as workers and operators see it.
public final class WorkResource {
    private static final String PATH = "/v1/environments/{e}/work";
    private static final long MAX_BLOCK_MILLIS = 999;
    private static final long DEFAULT_RECLAIM_MILLIS = 5_000;
    private static final long MAX_RECLAIM_MILLIS = 86_400_000;
    private static final int MAX_WORKER_ID = 256;

    private final Store store;
    private final WorkQueue queue;
    private final PollerLog pollers;

    /// @param clock for the count of polling workers
    public WorkResource(Store store, WorkQueue queue, Clock clock) {
        this.store = store;
        this.queue = queue;
        this.pollers = new PollerLog(clock);
    }

    /// Adds the endpoints; `poll` and `stats` before the item they would be mistaken for.
    public void addTo(Router router) {
        router.get(PATH + "/poll", Access.OWNER_OR_WORKER_KEY, this::poll)
                .get(PATH + "/stats", Access.OWNER_OR_WORKER_KEY, this::stats)
                .get(PATH, Access.WORKER_KEY, this::list)
                .get(PATH + "/{w}", Access.OWNER, this::retrieve)
                .post(PATH + "/{w}", Access.OWNER, this::update)
                .post(PATH + "/{w}/ack", Access.ALL, this::acknowledge)
                .post(PATH + "/{w}/heartbeat", Access.ALL, this::heartbeat)
                .post(PATH + "/{w}/stop", Access.ALL, this::stop);
    }

    private Reply poll(Call call) {
        String environment = environment(call);
        long block = call.query().number("block_ms", 1, MAX_BLOCK_MILLIS).orElse(0);
        long reclaim =
                call.query()
                        .number("reclaim_older_than_ms", 1, MAX_RECLAIM_MILLIS)
                        .orElse(DEFAULT_RECLAIM_MILLIS);
        Optional<String> worker = call.header("anthropic-worker-id");
        if (worker.isPresent() && worker.get().length() > MAX_WORKER_ID) {
            throw ProblemException.invalid("Anthropic-Worker-ID: is too long");
        }
        store.read(handle -> Environments.requireSelfHosted(handle, environment));
        worker.ifPresent(id -> pollers.note(environment, id));
        return queue.poll(
                        environment,
                        worker.orElse(null),
                        Duration.ofMillis(block),
                        Duration.ofMillis(reclaim))
                .map(d -> Reply.ok(WorkJson.item(d.item(), d.secret().encode())))
                .orElseGet(Reply::nothing);
    }

    private Reply acknowledge(Call call) {
        String environment = environment(call);
        String id = item(call);
        return queue.acknowledge(environment, id, call.caller())
                .map(item -> Reply.ok(WorkJson.item(item, null)))
                .orElseThrow(
                        () -> conflict("work item " + id + " is not there to be acknowledged"));
    }

    private Reply heartbeat(Call call) {
        String environment = environment(call);
        String id = item(call);
        long most = Math.max(1, queue.leaseTtl().toSeconds());
        long wanted = call.query().number("desired_ttl_seconds", 1, Integer.MAX_VALUE).orElse(most);
        Duration ttl = wanted < most ? Duration.ofSeconds(wanted) : queue.leaseTtl();
        var beaten =
                queue.beat(
                        environment,
                        id,
                        call.query().text("expected_last_heartbeat"),
                        call.caller(),
                        ttl);
        WorkItem item = beaten.item();
        String last = item.lease().heartbeat() == null ? "" : item.lease().heartbeat();
        long seconds = Math.max(1, ttl.toSeconds());
        return switch (beaten.beat()) {
            case WorkItem.Beat.Extended _, WorkItem.Beat.Repeated _ ->
                    Reply.ok(new Heartbeat(last, true, item.state(), seconds));
            case WorkItem.Beat.Ending _ ->
                    Reply.ok(new Heartbeat(last, false, item.state(), seconds));
            case WorkItem.Beat.Lost _ -> throw lost(item, seconds);
        };
    }

    private static ProblemException lost(WorkItem item, long ttlSeconds) {
        ObjectNode details = Json.object().put("error_code", "heartbeat_precondition_failed");
        details.putObject("current_state")
                .put("last_heartbeat", item.lease().heartbeat())
                .put("lease_extended", false)
                .put("state", item.state().wire())
                .put("ttl_seconds", ttlSeconds);
        return new ProblemException(
                new Problem(
                        Problem.Kind.PRECONDITION_FAILED,
                        "heartbeat precondition failed: the lease is not yours any more",
                        Optional.of(details)));
    }

    private Reply stop(Call call) {
        String environment = environment(call);
        String id = item(call);
        boolean force = call.jsonOrEmpty().only(Set.of("force")).flag("force");
        return queue.stop(environment, id, force, call.caller())
                .map(item -> Reply.ok(WorkJson.item(item, null)))
                .orElseThrow(() -> conflict("work item " + id + " is already stopped"));
    }

    private Reply retrieve(Call call) {
        String environment = environment(call);
        return store.read(handle ->
                Reply.ok(
                        WorkJson.item(
                                WorkRows.require(handle, environment, call.path("w")), null)));
    }

    private Reply update(Call call) {
        String environment = environment(call);
        String id = call.path("w");
        Fields sent = call.json().only(Set.of("metadata"));
        Map<String, Optional<String>> changes = sent.metadata("metadata");
        return store.write(tx -> {
            WorkItem item = WorkRows.require(tx.handle(), environment, id);
            ObjectNode metadata = Json.read(item.origin().metadata(), ObjectNode.class);
            changes.forEach((key, value) ->
                    value.ifPresentOrElse(v -> metadata.put(key, v), () -> metadata.remove(key)));
            if (metadata.size() > Fields.MAX_METADATA) {
                throw sent.refuse("metadata", "must have at most 16 pairs");
            }
            tx.handle()
                    .createUpdate("UPDATE work SET metadata = :metadata WHERE id = :id")
                    .bind("metadata", Json.write(metadata))
                    .bind("id", id)
                    .execute();
            return Reply.ok(WorkJson.item(WorkRows.require(tx.handle(), environment, id), null));
        });
    }

    private Reply list(Call call) {
        String environment = environment(call);
        String scope = "work " + environment;
        Paging paging = Paging.of(call.query(), scope, 2, 20, 100);
        return store.read(handle -> {
            Environments.require(handle, environment);
            var cut = paging.cut(page(handle, environment, paging));
            List<ObjectNode> items = cut.rows().stream().map(i -> WorkJson.item(i, null)).toList();
            return Reply.ok(new Page<>(items, next(scope, cut)));
        });
    }

    private static List<WorkItem> page(Handle handle, String environment, Paging paging) {
        // newest first: the first page begins after the end of time
        List<String> after = paging.after().orElse(List.of("~", "~"));
        return handle.createQuery(
                        """
                        SELECT * FROM work
                        WHERE environment_id = :environment AND (created_at, id) < (:created, :id)
                        ORDER BY created_at DESC, id DESC LIMIT :limit
                        """)
                .bind("environment", environment)
                .bind("created", after.getFirst())
                .bind("id", after.getLast())
                .bind("limit", paging.limit() + 1)
                .map((row, _) -> WorkRows.item(row))
                .list();
    }

    private static @Nullable String next(String scope, Paging.Cut<WorkItem> cut) {
        WorkItem.Origin last = cut.rows().isEmpty() ? null : cut.rows().getLast().origin();
        return cut.more() && last != null
                ? Paging.cursor(scope, last.createdAt(), last.id())
                : null;
    }

    private Reply stats(Call call) {
        String environment = environment(call);
        return store.read(handle -> {
            Environments.requireSelfHosted(handle, environment);
            return Reply.ok(WorkJson.stats(handle, environment, pollers.count(environment)));
        });
    }

    private static String environment(Call call) {
        String environment = call.path("e");
        call.caller().mustServe(environment);
        return environment;
    }

    /// The item's id; a sessions token reaches its own item only.
    private static String item(Call call) {
        String id = call.path("w");
        if (call.caller() instanceof dev.glovebox.server.access.Caller.Delivery token
                && !token.workId().equals(id)) {
            throw ProblemException.of(
                    Problem.Kind.PERMISSION, "this sessions token is for another work item");
        }
        return id;
    }

    private static ProblemException conflict(String message) {
        return ProblemException.of(Problem.Kind.CONFLICT, message);
    }
}
