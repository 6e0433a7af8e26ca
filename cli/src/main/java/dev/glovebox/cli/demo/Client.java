package dev.glovebox.cli.demo;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonString;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.models.beta.agents.AgentCreateParams;
import com.anthropic.models.beta.agents.BetaManagedAgentsAgentToolset20260401Params;
import com.anthropic.models.beta.agents.BetaManagedAgentsModelConfigParams;
import com.anthropic.models.beta.sessions.BetaManagedAgentsUserToolResultEvent;
import com.anthropic.models.beta.sessions.SessionCreateParams;
import com.anthropic.models.beta.sessions.events.BetaManagedAgentsAgentToolUseEvent;
import com.anthropic.models.beta.sessions.events.BetaManagedAgentsStreamSessionEvents;
import com.anthropic.models.beta.sessions.events.BetaManagedAgentsUserMessageEventParams;
import com.anthropic.models.beta.sessions.events.EventSendParams;
import dev.glovebox.protocol.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The person's side of the demo: the official Java client, as any application would use it.
final class Client implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofSeconds(90);

    private final AnthropicClient client;
    private final Narrator narrator;

    Client(URI baseUrl, Secret apiKey, Narrator narrator) {
        this.client =
                AnthropicOkHttpClient.builder()
                        .baseUrl(baseUrl.toString())
                        .apiKey(apiKey.reveal())
                        .timeout(TIMEOUT)
                        .build();
        this.narrator = narrator;
    }

    /// Creates an agent of the scripted brain with the agent toolset and a session for it.
    String createSession(String environmentId) {
        var agent =
                client.beta()
                        .agents()
                        .create(
                                AgentCreateParams.builder()
                                        .name("demo")
                                        .model(
                                                BetaManagedAgentsModelConfigParams.builder()
                                                        .id("glovebox-script")
                                                        .build())
                                        .addTool(
                                                BetaManagedAgentsAgentToolset20260401Params
                                                        .builder()
                                                        .type(
                                                                JsonValue.from(
                                                                        "agent_toolset_20260401"))
                                                        .build())
                                        .build());
        return client.beta()
                .sessions()
                .create(
                        SessionCreateParams.builder()
                                .agent(agent.id())
                                .environmentId(environmentId)
                                .title("repair a failing test")
                                .build())
                .id();
    }

    /// Sends the words and follows the stream until the turn ends.
    Transcript run(String sessionId, String words) {
        Transcript transcript = new Transcript();
        try (StreamResponse<BetaManagedAgentsStreamSessionEvents> stream =
                client.beta().sessions().events().streamStreaming(sessionId)) {
            client.beta()
                    .sessions()
                    .events()
                    .send(
                            sessionId,
                            EventSendParams.builder()
                                    .addEvent(
                                            BetaManagedAgentsUserMessageEventParams.builder()
                                                    .type(JsonValue.from("user.message"))
                                                    .addTextContent(words)
                                                    .build())
                                    .build());
            Iterator<BetaManagedAgentsStreamSessionEvents> events = stream.stream().iterator();
            while (!transcript.finished() && events.hasNext()) {
                follow(events.next(), transcript);
            }
        }
        return transcript;
    }

    private void follow(BetaManagedAgentsStreamSessionEvents event, Transcript transcript) {
        if (event.isAgentMessage()) {
            String words =
                    event.asAgentMessage().content().stream()
                            .filter(c -> c.isText())
                            .map(c -> c.asText().text())
                            .collect(Collectors.joining());
            transcript.said(words);
            narrator.said(words);
        } else if (event.isAgentToolUse()) {
            var call = event.asAgentToolUse();
            transcript.called(call.id(), call.name(), input(call));
            narrator.called(call.name(), input(call));
        } else if (event.isUserToolResult()) {
            var result = event.asUserToolResult();
            String output = text(result);
            transcript.answered(result.toolUseId(), output, result.isError().orElse(false));
            narrator.answered(output, result.isError().orElse(false));
        } else if (event.isSessionError()) {
            narrator.failed(event.asSessionError().error().toString());
        } else if (event.isSessionStatusTerminated()
                || (event.isSessionStatusIdle()
                        && !event.asSessionStatusIdle().stopReason().isRequiresAction())) {
            transcript.finish();
        }
    }

    private static String input(BetaManagedAgentsAgentToolUseEvent call) {
        Map<String, JsonValue> input = call.input()._additionalProperties();
        return input.entrySet().stream()
                .map(e -> e.getKey().equals("command") ? value(e) : e.getKey() + "=" + value(e))
                .collect(Collectors.joining(" "));
    }

    private static String value(Map.Entry<String, JsonValue> entry) {
        return entry.getValue() instanceof JsonString text
                ? text.value()
                : String.valueOf(entry.getValue());
    }

    private static String text(BetaManagedAgentsUserToolResultEvent result) {
        return result.content().orElse(List.of()).stream()
                .filter(BetaManagedAgentsUserToolResultEvent.Content::isText)
                .map(c -> c.asText().text())
                .collect(Collectors.joining("\n"));
    }

    @Override
    public void close() {
        client.close();
    }
}
