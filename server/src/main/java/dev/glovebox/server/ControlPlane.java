package dev.glovebox.server;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.brain.Brain;
import dev.glovebox.server.access.Credentials;
import dev.glovebox.server.access.KeysResource;
import dev.glovebox.server.agent.AgentRules;
import dev.glovebox.server.agent.Agents;
import dev.glovebox.server.agent.AgentsResource;
import dev.glovebox.server.agent.EnvironmentsResource;
import dev.glovebox.server.http.Access;
import dev.glovebox.server.http.ApiServer;
import dev.glovebox.server.http.Reply;
import dev.glovebox.server.http.Router;
import dev.glovebox.server.session.EventsResource;
import dev.glovebox.server.session.SessionsResource;
import dev.glovebox.server.session.Turns;
import dev.glovebox.server.store.SqliteStore;
import dev.glovebox.server.store.Store;
import dev.glovebox.server.stream.Streams;
import dev.glovebox.server.work.Sweeper;
import dev.glovebox.server.work.WorkQueue;
import dev.glovebox.server.work.WorkResource;
import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.random.RandomGenerator;

/// A running control plane: the store, the turns of its sessions, and the API in front of them.
public final class ControlPlane implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ControlPlane.class.getName());

    private final Deque<AutoCloseable> parts;
    private final InetSocketAddress address;

    private ControlPlane(Deque<AutoCloseable> parts, int port, InetSocketAddress listen) {
        this.parts = parts;
        this.address = new InetSocketAddress(listen.getAddress(), port);
    }

    /// Starts a control plane on the real clock. Sessions whose turn was cut off by the end of an
    /// earlier process go on.
    ///
    /// @param brain decides what agents do
    /// @throws ServerException when the data directory cannot be used
    public static ControlPlane start(ServerConfig config, Brain brain) {
        return start(config, brain, Clock.systemUTC(), new SecureRandom());
    }

    static ControlPlane start(
            ServerConfig config, Brain brain, Clock clock, RandomGenerator random) {
        Deque<AutoCloseable> parts = new ArrayDeque<>();
        try {
            DataDirectory data = opened(parts, DataDirectory.take(config.dataDirectory()));
            Store store = opened(parts, SqliteStore.open(data.store(), clock));
            Credentials credentials = new Credentials(random);
            new FirstStart(store, credentials, random, data.path()).run();
            Router router = new Router();
            router.get("/healthz", Access.ANYONE, _ -> Reply.ok(Json.object().put("status", "ok")));
            new KeysResource(store, credentials, random).addTo(router);
            AgentRules rules = new AgentRules();
            new AgentsResource(store, rules, random).addTo(router);
            new EnvironmentsResource(store, random).addTo(router);
            WorkQueue queue = new WorkQueue(store, credentials, random, config.leaseTtl());
            new WorkResource(store, queue, clock).addTo(router);
            Streams streams = new Streams();
            Turns turns =
                    opened(
                            parts,
                            new Turns(store, brain, streams, queue, random, config.retryPause()));
            Agents agents = new Agents(rules);
            new SessionsResource(store, turns.parts(), agents, clock).addTo(router);
            new EventsResource(store, turns.parts(), config.ping()).addTo(router);
            ApiServer api =
                    opened(parts, ApiServer.start(router, store, clock, random, config.listen()));
            opened(parts, streams);
            turns.recover();
            opened(parts, new Sweeper(queue, config.reapIdleAfter(), clock));
            return new ControlPlane(parts, api.port(), config.listen());
        } catch (RuntimeException e) {
            close(parts);
            throw e;
        }
    }

    private static <T extends AutoCloseable> T opened(Deque<AutoCloseable> parts, T part) {
        parts.addFirst(part);
        return part;
    }

    /// Where it listens, with the real port.
    public InetSocketAddress address() {
        return address;
    }

    /// Stops serving, ends streams, waits for what is being written. A second call does nothing.
    @Override
    public void close() {
        close(parts);
    }

    /// The last opened first: no new turns and requests, then what they use.
    private static void close(Deque<AutoCloseable> parts) {
        for (AutoCloseable part = parts.poll(); part != null; part = parts.poll()) {
            try {
                part.close();
            } catch (Exception e) {
                LOG.log(System.Logger.Level.ERROR, "closing the control plane", e);
            }
        }
    }
}
