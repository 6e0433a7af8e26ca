package dev.glovebox.brain;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.LogLevel;
import com.anthropic.core.Timeout;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.AnthropicException;
import com.anthropic.models.messages.CacheControlEphemeral;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.OutputConfig;
import com.anthropic.models.messages.RawMessageStreamEvent;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.agent.SessionAgent;
import dev.glovebox.protocol.brain.Brain;
import java.time.Duration;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/// An agent driven by a model behind the Messages API, through the official Java client.
///
/// One step is one streamed request. It holds the session's whole history ([Transcript]), the
/// agent's system prompt and tools ([ToolDefinitions]), and a cache marker, so that each request
/// after the first pays for what is new only. The client sends a request again by itself while no
/// reply has begun; after that a failure is the step's outcome and the control plane decides.
///
/// An interrupt of the calling thread closes the connection, which ends the model's work at once.
/// This needs a virtual thread: a platform thread in a socket read cannot be interrupted.
///
/// Thread-safe; connections are pooled.
public final class MessagesBrain implements Brain, AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final int WHOLE_REPLY = 10;

    private final MessagesConfig config;
    private final AnthropicClient client;

    /// @param config where the model is and how long to wait for it
    public MessagesBrain(MessagesConfig config) {
        this.config = config;
        this.client =
                AnthropicOkHttpClient.builder()
                        .baseUrl(config.baseUrl().toString())
                        .apiKey(config.apiKey().reveal())
                        .maxRetries(config.maxRetries())
                        .logLevel(LogLevel.OFF)
                        .timeout(
                                Timeout.builder()
                                        .connect(CONNECT)
                                        .read(config.timeout())
                                        .write(config.timeout())
                                        .request(config.timeout().multipliedBy(WHOLE_REPLY))
                                        .build())
                        .build();
    }

    @Override
    public Next step(Request request, Output output) throws InterruptedException {
        ArrayNode messages = Transcript.messages(request.history());
        if (messages.isEmpty()) {
            return new Next.EndTurn();
        }
        ModelReply reply = new ModelReply(output, config.maxOutputTokens());
        try (StreamResponse<RawMessageStreamEvent> stream =
                client.messages().createStreaming(parameters(request.agent(), messages))) {
            for (RawMessageStreamEvent event : stream) {
                reply.accept(event);
            }
            return reply.finish();
        } catch (AnthropicException e) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return ModelErrors.of(e);
        }
    }

    /// Messages and tools are given as JSON, which the client sends as it is: a [JsonValue] stands
    /// for a field of any type, and Java has no word for that.
    @SuppressWarnings("unchecked")
    private MessageCreateParams parameters(SessionAgent agent, ArrayNode messages) {
        MessageCreateParams.Builder builder =
                MessageCreateParams.builder()
                        .model(agent.modelId())
                        .maxTokens(config.maxOutputTokens())
                        .messages(value(messages))
                        .cacheControl(CacheControlEphemeral.builder().build());
        String system = agent.system();
        if (system != null && !system.isBlank()) {
            builder.system(system);
        }
        ArrayNode tools = ToolDefinitions.of(agent);
        if (!tools.isEmpty()) {
            builder.tools(value(tools));
        }
        modelOptions(agent, builder);
        return builder.build();
    }

    /// What an agent's model object adds to its id. `high` effort and `standard` speed are what the
    /// API takes by itself, and not every model accepts the words.
    private static void modelOptions(SessionAgent agent, MessageCreateParams.Builder builder) {
        String effort = agent.model().path("effort").path("type").asString("high");
        if (!effort.equals("high")) {
            builder.outputConfig(
                    OutputConfig.builder().effort(OutputConfig.Effort.of(effort)).build());
        }
        String speed = agent.model().path("speed").asString("standard");
        if (!speed.equals("standard")) {
            builder.speed(MessageCreateParams.Speed.of(speed));
        }
        String geo = agent.model().path("inference_geo").asString("");
        if (!geo.isEmpty()) {
            builder.inferenceGeo(geo);
        }
    }

    private static JsonValue value(JsonNode tree) {
        return JsonValue.from(Json.fromTree(tree, Object.class));
    }

    /// Drops the pooled connections; steps under way fail.
    @Override
    public void close() {
        client.close();
    }
}
