package dev.glovebox.server.http;

import dev.glovebox.protocol.IdKind;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.ServerException;
import dev.glovebox.server.access.Caller;
import dev.glovebox.server.access.Credentials;
import dev.glovebox.server.store.Store;
import dev.glovebox.server.store.StoreException;
import dev.glovebox.server.store.Ticks;
import dev.glovebox.server.stream.EventSink;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http1.Http1Config;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.random.RandomGenerator;

/// The HTTP edge. Every request takes the same way: route, authenticate, answer; whatever goes
/// wrong becomes the error envelope with the request's id. One virtual thread serves one
/// connection.
public final class ApiServer implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ApiServer.class.getName());
    private static final String BEARER = "Bearer ";

    private final Router router;
    private final Store store;
    private final Clock clock;
    private final RandomGenerator random;
    private final Semaphore bodies = new Semaphore(RequestBody.BUDGET_KIB, true);
    private final WebServer server;

    private ApiServer(
            Router router,
            Store store,
            Clock clock,
            RandomGenerator random,
            InetSocketAddress listen) {
        this.router = router;
        this.store = store;
        this.clock = clock;
        this.random = random;
        this.server =
                WebServer.builder()
                        .host(listen.getHostString())
                        .port(listen.getPort())
                        .shutdownHook(false)
                        .shutdownGracePeriod(Duration.ofMillis(500))
                        .maxPayloadSize(-1)
                        // SDKs may send raw brackets in queries; Query judges them
                        .addProtocol(Http1Config.builder().validatePrologue(false).build())
                        .directHandlers(Unparsed.handlers(random))
                        .routing(routing -> routing.any(this::serve))
                        .build();
    }

    /// Starts to serve.
    ///
    /// @throws ServerException when the address cannot be listened on
    public static ApiServer start(
            Router router,
            Store store,
            Clock clock,
            RandomGenerator random,
            InetSocketAddress listen) {
        requireFree(listen);
        ApiServer api = new ApiServer(router, store, clock, random, listen);
        api.server.start();
        return api;
    }

    /// The server tells of an address it cannot have in its log only, so we try before it.
    private static void requireFree(InetSocketAddress listen) {
        try (ServerSocket trial = new ServerSocket()) {
            trial.setReuseAddress(true);
            trial.bind(listen);
        } catch (IOException e) {
            throw new ServerException(
                    "cannot listen on "
                            + listen.getHostString()
                            + ":"
                            + listen.getPort()
                            + ": "
                            + e.getMessage(),
                    e);
        }
    }

    /// The port it listens on, also when 0 was asked for.
    public int port() {
        return server.port();
    }

    @Override
    public void close() {
        server.stop();
    }

    private void serve(ServerRequest request, ServerResponse response) {
        String requestId = IdKind.REQUEST.next(random);
        response.header("request-id", requestId);
        Reply reply;
        try (RequestBody body = new RequestBody(request, bodies)) {
            reply = answer(request, body);
        } catch (ProblemException e) {
            reply = refusal(e.problem(), requestId);
        } catch (JsonException e) {
            reply = refusal(Problem.of(Problem.Kind.INVALID_REQUEST, message(e)), requestId);
        } catch (StoreException e) {
            LOG.log(System.Logger.Level.ERROR, requestId + " failed in the store", e);
            reply =
                    refusal(
                            Problem.of(
                                    e.overloaded()
                                            ? Problem.Kind.OVERLOADED
                                            : Problem.Kind.INTERNAL,
                                    "the control plane cannot store this now"),
                            requestId);
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, requestId + " failed", e);
            reply =
                    refusal(
                            Problem.of(
                                    Problem.Kind.INTERNAL, "internal error, see the server's log"),
                            requestId);
        }
        send(request, response, reply);
    }

    private static String message(RuntimeException e) {
        String message = e.getMessage();
        return message == null ? "the request is not valid" : message;
    }

    private Reply answer(ServerRequest request, RequestBody body) {
        return switch (router.find(request.prologue().method().text(), request.path().rawPath())) {
            case Router.Match.Unknown _ ->
                    throw ProblemException.of(Problem.Kind.NOT_FOUND, "no such path");
            case Router.Match.WrongMethod _ ->
                    throw ProblemException.of(
                            Problem.Kind.METHOD_NOT_ALLOWED, "the path does not take this method");
            case Router.Match.Found(Access access, Endpoint endpoint, var values) -> {
                Caller caller = authenticate(request, access);
                Query query = new Query(request.query().rawValue());
                yield endpoint.answer(
                        new Call(
                                caller,
                                values,
                                query,
                                name -> request.headers().first(HeaderNames.create(name)),
                                body::read));
            }
        };
    }

    private Caller authenticate(ServerRequest request, Access access) {
        if (!access.needsCredential()) {
            return new Caller.Owner("none");
        }
        String value =
                credential(request)
                        .orElseThrow(() ->
                                ProblemException.of(
                                        Problem.Kind.AUTHENTICATION,
                                        "send a credential as Authorization: Bearer or"
                                                + " x-api-key"));
        String now = Ticks.text(clock.instant());
        Caller caller =
                store.read(handle -> Credentials.recognise(handle, value, now))
                        .orElseThrow(() ->
                                ProblemException.of(
                                        Problem.Kind.AUTHENTICATION,
                                        "the credential is not valid"));
        if (!access.accepts(caller.kind())) {
            throw ProblemException.of(
                    Problem.Kind.PERMISSION,
                    "this endpoint does not accept a credential of the kind "
                            + caller.kind().words());
        }
        return caller;
    }

    private static Optional<String> credential(ServerRequest request) {
        Optional<String> bearer =
                request.headers()
                        .first(HeaderNames.AUTHORIZATION)
                        .filter(v -> v.regionMatches(true, 0, BEARER, 0, BEARER.length()))
                        .map(v -> v.substring(BEARER.length()).strip())
                        .filter(v -> !v.isEmpty());
        return bearer.or(() -> request.headers().first(HeaderNames.create("x-api-key")))
                .filter(v -> !v.isBlank());
    }

    private static Reply refusal(Problem problem, String requestId) {
        // only a conflict that time may solve is worth the SDK's retries
        var headers =
                switch (problem.kind()) {
                    case CONFLICT, TOO_LARGE -> java.util.Map.of("x-should-retry", "false");
                    default -> java.util.Map.<String, String>of();
                };
        return new Reply.Json(problem.kind().status(), problem.envelope(requestId), headers);
    }

    private static void send(ServerRequest request, ServerResponse response, Reply reply) {
        switch (reply) {
            case Reply.Json(int status, Object body, var headers) -> {
                response.status(Status.create(status));
                response.header(HeaderNames.CONTENT_TYPE, "application/json");
                headers.forEach(response::header);
                if (status >= 400
                        && request.content().hasEntity()
                        && !request.content().consumed()) {
                    // the unread rest of a refused body is not worth reading
                    response.header(HeaderNames.CONNECTION, "close");
                }
                response.send(Json.writeBytes(body));
            }
            case Reply.Stream(Reply.StreamBody body) -> stream(response, body);
        }
    }

    private static void stream(ServerResponse response, Reply.StreamBody body) {
        response.status(Status.OK_200);
        response.header(HeaderNames.CONTENT_TYPE, "text/event-stream");
        response.header(HeaderNames.CACHE_CONTROL, "no-cache");
        try (OutputStream out = response.outputStream()) {
            body.write(new EventSink(out));
        } catch (IOException | UncheckedIOException e) {
            LOG.log(System.Logger.Level.DEBUG, "a stream's reader has gone", e);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
