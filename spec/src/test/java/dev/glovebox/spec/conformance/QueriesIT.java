package dev.glovebox.spec.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.SdkError;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.TypeScriptSdk;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Items 14 and 15 of the conformance checklist: filters as the SDK encodes them, and what
/// self-hosted sessions may not have.
class QueriesIT {
    private static Desk desk;
    private static TypeScriptSdk sdk;
    private static TypeScriptSdk.Client app;
    private static Talk talk;

    @BeforeAll
    static void open() {
        desk = Desk.open();
        sdk = TypeScriptSdk.against(desk.baseUrl());
        app = sdk.as(desk.apiKey());
        talk =
                desk.talk()
                        .say(new Script().say("a").say("b"))
                        .awaitTurns(1, Duration.ofSeconds(60));
    }

    @AfterAll
    static void close() {
        sdk.close();
        desk.close();
    }

    @Test
    void types_inBracketsFilterEvents() {
        List<JsonNode> events =
                app.all(
                        "beta.sessions.events.list",
                        talk.id(),
                        Map.of("types", List.of("user.message", "agent.message")));
        assertThat(events)
                .hasSize(3)
                .extracting(event -> event.get("type").asString())
                .containsOnly("user.message", "agent.message");
    }

    @Test
    void statuses_inBracketsFilterSessions() {
        assertThat(
                        app.all("beta.sessions.list", Map.of("statuses", List.of("idle"))).stream()
                                .map(session -> session.get("id").asString()))
                .contains(talk.id());
        assertThat(
                        app.all(
                                "beta.sessions.list",
                                Map.of("statuses", List.of("running", "rescheduling"))))
                .isEmpty();
    }

    @Test
    void createdAt_withAnOffsetFilters() {
        JsonNode first = app.all("beta.sessions.events.list", talk.id()).getFirst();
        String time =
                java.time.OffsetDateTime.parse(first.get("processed_at").asString())
                        .withOffsetSameInstant(java.time.ZoneOffset.ofHours(2))
                        .toString();
        List<String> later =
                app
                        .all("beta.sessions.events.list", talk.id(), Map.of("created_at[gt]", time))
                        .stream()
                        .map(event -> event.get("id").asString())
                        .toList();
        assertThat(later).doesNotContain(first.get("id").asString());
        assertThat(
                        app.all(
                                        "beta.sessions.events.list",
                                        talk.id(),
                                        Map.of("created_at[gte]", time))
                                .getFirst())
                .isEqualTo(first);
    }

    @Test
    void page_emptyMeansAbsent() {
        Map<String, Object> nothing = new HashMap<>();
        nothing.put("page", null);
        assertThat(app.all("beta.sessions.events.list", talk.id(), nothing)).hasSizeGreaterThan(3);
    }

    @Test
    void events_pageThroughOneByOne() {
        assertThat(app.all("beta.sessions.events.list", talk.id(), Map.of("limit", 1)))
                .isEqualTo(app.all("beta.sessions.events.list", talk.id()));
        assertThat(
                        app.all(
                                "beta.sessions.events.list",
                                talk.id(),
                                Map.of("limit", 2, "order", "desc")))
                .isEqualTo(app.all("beta.sessions.events.list", talk.id()).reversed());
    }

    @Test
    void fileResource_onASelfHostedSessionIsRefusedInTheDocumentedWords() {
        SdkError refused =
                catchThrowableOfType(
                        SdkError.class,
                        () ->
                                app.call(
                                        "beta.sessions.create",
                                        Map.of(
                                                "agent",
                                                desk.agent(),
                                                "environment_id",
                                                desk.environmentId(),
                                                "resources",
                                                List.of(
                                                        Map.of(
                                                                "type", "file", "file_id",
                                                                "file_1")))));
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.text())
                .isEqualTo(
                        "Environment "
                                + desk.environmentId()
                                + " is a self-hosted environment. `resources` are not supported with self-hosted environments.");
    }
}
