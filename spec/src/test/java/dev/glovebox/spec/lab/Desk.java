package dev.glovebox.spec.lab;

import dev.glovebox.brain.ScriptedBrain;
import dev.glovebox.linux.Trees;
import dev.glovebox.server.ControlPlane;
import dev.glovebox.server.ServerConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.Logger;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A control plane of ours on a free loopback port with the scripted brain, in this process and a
/// folder of its own.
public final class Desk implements AutoCloseable {
    private static final Map<String, Object> TOOLSET = Map.of("type", "agent_toolset_20260401");

    static {
        Logger.getLogger("").setLevel(Level.WARNING); // or every desk prints twenty lines
    }

    private final Path folder;
    private final ControlPlane controlPlane;
    private final JsonNode credentials;

    private Desk(Path folder, ControlPlane controlPlane) throws IOException {
        this.folder = folder;
        this.controlPlane = controlPlane;
        this.credentials =
                JsonMapper.shared().readTree(Files.readString(folder.resolve("credentials.json")));
    }

    /// A desk with the usual lease of five minutes.
    public static Desk open() {
        return open(Duration.ofMinutes(5));
    }

    /// A desk whose leases end so long after the last heartbeat.
    public static Desk open(Duration leaseTtl) {
        try {
            Path folder = Files.createTempDirectory("glovebox-desk-");
            ServerConfig config =
                    new ServerConfig(
                                    folder,
                                    new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                            .withLeaseTtl(leaseTtl);
            return new Desk(folder, ControlPlane.start(config, new ScriptedBrain()));
        } catch (IOException e) {
            throw new UncheckedIOException("open a desk", e);
        }
    }

    public URI baseUrl() {
        return URI.create("http://127.0.0.1:" + controlPlane.address().getPort());
    }

    public String apiKey() {
        return credentials.get("api_key").asString();
    }

    public String environmentId() {
        return credentials.get("environment_id").asString();
    }

    public String environmentKey() {
        return credentials.get("environment_key").asString();
    }

    /// Bare HTTP with the API key.
    public Wire wire() {
        return new Wire(baseUrl(), apiKey());
    }

    /// A new agent with the whole toolset, run by the script.
    public String agent() {
        return agent(TOOLSET);
    }

    /// A new agent with a toolset of the test's choice.
    public String agent(Map<String, ?> toolset) {
        return wire().post(
                        "/v1/agents",
                        Map.of(
                                "name",
                                "scripted",
                                "model",
                                "glovebox-script",
                                "tools",
                                List.of(toolset)))
                .ok()
                .get("id")
                .asString();
    }

    /// A new session of a new agent.
    public Talk talk() {
        return talk(agent());
    }

    /// A new session of an agent.
    public Talk talk(String agent) {
        JsonNode session =
                wire().post(
                                "/v1/sessions",
                                Map.of("agent", agent, "environment_id", environmentId()))
                        .ok();
        return new Talk(wire(), session.get("id").asString());
    }

    @Override
    public void close() {
        controlPlane.close();
        Trees.remove(folder);
    }
}
