package dev.glovebox.server;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.brain.Brain;
import dev.glovebox.server.access.Credentials;
import dev.glovebox.server.access.KeysResource;
import dev.glovebox.server.http.Access;
import dev.glovebox.server.http.ApiServer;
import dev.glovebox.server.http.Reply;
import dev.glovebox.server.http.Router;
import dev.glovebox.server.store.SqliteStore;
import dev.glovebox.server.store.Store;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.random.RandomGenerator;

/// A running control plane: the store, the turns of its sessions, and the API in front of them.
public final class ControlPlane implements AutoCloseable {
    private final Store store;
    private final ApiServer api;
    private final InetSocketAddress address;

    private ControlPlane(Store store, ApiServer api, InetSocketAddress listen) {
        this.store = store;
        this.api = api;
        this.address = new InetSocketAddress(listen.getAddress(), api.port());
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
        try {
            Files.createDirectories(config.dataDirectory());
        } catch (IOException e) {
            throw new ServerException("cannot make " + config.dataDirectory(), e);
        }
        Store store = SqliteStore.open(config.dataDirectory().resolve("control.db"), clock);
        Credentials credentials = new Credentials(random);
        new FirstStart(store, credentials, random, config.dataDirectory()).run();
        Router router = new Router();
        router.get("/healthz", Access.ANYONE, _ -> Reply.ok(Json.object().put("status", "ok")));
        new KeysResource(store, credentials, random).addTo(router);
        ApiServer api = ApiServer.start(router, store, clock, random, config.listen());
        return new ControlPlane(store, api, config.listen());
    }

    /// Where it listens, with the real port.
    public InetSocketAddress address() {
        return address;
    }

    /// Stops serving, ends streams, waits for what is being written.
    @Override
    public void close() {
        api.close();
        store.close();
    }
}
