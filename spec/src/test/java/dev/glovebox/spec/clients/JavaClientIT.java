package dev.glovebox.spec.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.BadRequestException;
import com.anthropic.errors.ConflictException;
import com.anthropic.errors.NotFoundException;
import com.anthropic.errors.UnauthorizedException;
import com.anthropic.models.beta.agents.AgentCreateParams;
import com.anthropic.models.beta.agents.AgentListParams;
import com.anthropic.models.beta.agents.AgentUpdateParams;
import com.anthropic.models.beta.agents.BetaManagedAgentsAgent;
import com.anthropic.models.beta.agents.BetaManagedAgentsAgentToolset20260401Params;
import com.anthropic.models.beta.agents.BetaManagedAgentsModel;
import com.anthropic.models.beta.environments.BetaEnvironment;
import com.anthropic.models.beta.environments.BetaSelfHostedConfigParams;
import com.anthropic.models.beta.environments.EnvironmentCreateParams;
import com.anthropic.models.beta.environments.EnvironmentUpdateParams;
import com.anthropic.models.beta.sessions.BetaManagedAgentsSession;
import com.anthropic.models.beta.sessions.SessionCreateParams;
import com.anthropic.models.beta.sessions.SessionListParams;
import com.anthropic.models.beta.sessions.SessionUpdateParams;
import com.anthropic.models.beta.sessions.events.BetaManagedAgentsStreamSessionEvents;
import com.anthropic.models.beta.sessions.events.BetaManagedAgentsUserMessageEventParams;
import com.anthropic.models.beta.sessions.events.EventListParams;
import com.anthropic.models.beta.sessions.events.EventSendParams;
import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Script;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The official Java SDK, unmodified, with its response validation on: every object we answer has
/// to fit its models.
@Timeout(180)
class JavaClientIT {
    private static Desk desk;
    private static AnthropicClient app;

    @BeforeAll
    static void open() {
        desk = Desk.open();
        app = client(desk.apiKey());
    }

    @AfterAll
    static void close() {
        app.close();
        desk.close();
    }

    @Test
    void agents_createRetrieveUpdateListArchive() {
        BetaManagedAgentsAgent agent = agent();
        assertThat(agent.version()).isEqualTo(1);
        BetaManagedAgentsAgent second =
                app.beta()
                        .agents()
                        .update(
                                agent.id(),
                                AgentUpdateParams.builder()
                                        .version(1)
                                        .description("says less")
                                        .build());
        assertThat(second.version()).isEqualTo(2);
        assertThat(app.beta().agents().retrieve(agent.id()).description()).contains("says less");
        assertThat(app.beta().agents().versions().list(agent.id()).autoPager()).hasSize(2);
        assertThatThrownBy(() ->
                        app.beta()
                                .agents()
                                .update(
                                        agent.id(),
                                        AgentUpdateParams.builder()
                                                .version(1)
                                                .description("late")
                                                .build()))
                .isInstanceOf(ConflictException.class);
        assertThat(app.beta().agents().archive(agent.id()).archivedAt()).isPresent();
        assertThat(app.beta().agents().list().autoPager().stream().map(BetaManagedAgentsAgent::id))
                .doesNotContain(agent.id());
        assertThat(
                        app
                                .beta()
                                .agents()
                                .list(
                                        AgentListParams.builder()
                                                .includeArchived(true)
                                                .limit(1)
                                                .build())
                                .autoPager()
                                .stream()
                                .map(BetaManagedAgentsAgent::id))
                .contains(agent.id());
    }

    @Test
    void environments_createRetrieveUpdateListArchiveDelete() {
        BetaEnvironment environment =
                app.beta()
                        .environments()
                        .create(
                                EnvironmentCreateParams.builder()
                                        .name("java workshop")
                                        .config(BetaSelfHostedConfigParams.builder().build())
                                        .build());
        assertThat(environment.config().isSelfHosted()).isTrue();
        assertThat(
                        app.beta()
                                .environments()
                                .update(
                                        environment.id(),
                                        EnvironmentUpdateParams.builder()
                                                .description("upstairs")
                                                .build())
                                .description())
                .contains("upstairs");
        assertThat(app.beta().environments().retrieve(environment.id()).name())
                .isEqualTo("java workshop");
        assertThat(app.beta().environments().list().autoPager().stream().map(BetaEnvironment::id))
                .contains(environment.id());
        assertThat(app.beta().environments().archive(environment.id()).archivedAt()).isPresent();
        assertThat(app.beta().environments().delete(environment.id()).id())
                .isEqualTo(environment.id());
        assertThatThrownBy(() -> app.beta().environments().retrieve(environment.id()))
                .isInstanceOf(NotFoundException.class);
    }

    @Test
    void sessions_createRetrieveUpdateListArchiveDelete() {
        String agent = agent().id();
        List<String> made = List.of(session(agent).id(), session(agent).id(), session(agent).id());
        assertThat(
                        app
                                .beta()
                                .sessions()
                                .list(
                                        SessionListParams.builder()
                                                .agentId(agent)
                                                .order(SessionListParams.Order.ASC)
                                                .limit(1)
                                                .build())
                                .autoPager()
                                .stream()
                                .map(BetaManagedAgentsSession::id))
                .isEqualTo(made);
        String id = made.getFirst();
        assertThat(
                        app.beta()
                                .sessions()
                                .update(id, SessionUpdateParams.builder().title("repair").build())
                                .title())
                .contains("repair");
        assertThat(app.beta().sessions().retrieve(id).status().asString()).isEqualTo("idle");
        assertThat(app.beta().sessions().archive(id).status().asString()).isEqualTo("terminated");
        assertThat(app.beta().sessions().delete(id).id()).isEqualTo(id);
        assertThatThrownBy(() -> app.beta().sessions().retrieve(id))
                .isInstanceOf(NotFoundException.class);
    }

    @Test
    void events_sendStreamList() {
        String id = session(agent().id()).id();
        List<BetaManagedAgentsStreamSessionEvents> seen = new ArrayList<>();
        try (StreamResponse<BetaManagedAgentsStreamSessionEvents> stream =
                app.beta().sessions().events().streamStreaming(id)) {
            app.beta()
                    .sessions()
                    .events()
                    .send(
                            id,
                            EventSendParams.builder()
                                    .addEvent(
                                            BetaManagedAgentsUserMessageEventParams.builder()
                                                    .type(JsonValue.from("user.message"))
                                                    .addTextContent(
                                                            new Script()
                                                                    .say("hello from java")
                                                                    .text())
                                                    .build())
                                    .build());
            Stream<BetaManagedAgentsStreamSessionEvents> events = stream.stream();
            events.takeWhile(event -> !event.isSessionStatusIdle()).forEach(seen::add);
        }
        assertThat(seen.stream().filter(BetaManagedAgentsStreamSessionEvents::isAgentMessage))
                .hasSize(1);
        assertThat(
                        app
                                .beta()
                                .sessions()
                                .events()
                                .list(id, EventListParams.builder().limit(2).build())
                                .autoPager()
                                .stream()
                                .filter(event -> event.isAgentMessage() || event.isUserMessage()))
                .hasSize(2);
    }

    @Test
    void errors_areTyped() {
        AnthropicClient stranger = client("sk-ant-api03-wrong");

        assertThatThrownBy(() -> stranger.beta().agents().list())
                .isInstanceOf(UnauthorizedException.class);
        stranger.close();
        assertThatThrownBy(() ->
                        app.beta()
                                .agents()
                                .create(
                                        AgentCreateParams.builder()
                                                .name("")
                                                .model(BetaManagedAgentsModel.of("glovebox-script"))
                                                .build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("name");
    }

    private static AnthropicClient client(String key) {
        return AnthropicOkHttpClient.builder()
                .apiKey(key)
                .baseUrl(desk.baseUrl().toString())
                .responseValidation(true)
                .build();
    }

    private static BetaManagedAgentsAgent agent() {
        return app.beta()
                .agents()
                .create(
                        AgentCreateParams.builder()
                                .name("scripted")
                                .model(BetaManagedAgentsModel.of("glovebox-script"))
                                .addTool(
                                        BetaManagedAgentsAgentToolset20260401Params.builder()
                                                .type(JsonValue.from("agent_toolset_20260401"))
                                                .build())
                                .build());
    }

    private static BetaManagedAgentsSession session(String agent) {
        return app.beta()
                .sessions()
                .create(
                        SessionCreateParams.builder()
                                .agent(agent)
                                .environmentId(desk.environmentId())
                                .build());
    }
}
