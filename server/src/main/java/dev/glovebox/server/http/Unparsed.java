package dev.glovebox.server.http;

import dev.glovebox.protocol.IdKind;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Problem;
import io.helidon.http.DirectHandler;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.http.DirectHandlers;
import java.util.random.RandomGenerator;

/// Answers what never became a request, such as a malformed request line, with the same envelope as
/// everything else.
final class Unparsed {
    private Unparsed() {}

    static DirectHandlers handlers(RandomGenerator random) {
        DirectHandlers.Builder handlers = DirectHandlers.builder();
        for (DirectHandler.EventType type : DirectHandler.EventType.values()) {
            handlers.addHandler(
                    type, (_, event, status, headers, _) -> answer(random, event, status, headers));
        }
        return handlers.build();
    }

    private static DirectHandler.TransportResponse answer(
            RandomGenerator random,
            DirectHandler.EventType event,
            Status status,
            ServerResponseHeaders headers) {
        Problem.Kind kind =
                switch (event) {
                    case PAYLOAD_TOO_LARGE -> Problem.Kind.TOO_LARGE;
                    case FORBIDDEN -> Problem.Kind.PERMISSION;
                    case INTERNAL_ERROR -> Problem.Kind.INTERNAL;
                    case BAD_REQUEST, HTTP_VERSION_NOT_SUPPORTED, OTHER ->
                            Problem.Kind.INVALID_REQUEST;
                };
        String requestId = IdKind.REQUEST.next(random);
        Problem problem = Problem.of(kind, "not a valid HTTP request");
        return DirectHandler.TransportResponse.builder()
                .status(status)
                .headers(headers)
                .header(HeaderNames.CONTENT_TYPE, "application/json")
                .header(HeaderNames.create("request-id"), requestId)
                .keepAlive(false)
                .entity(Json.writeBytes(problem.envelope(requestId)))
                .build();
    }
}
