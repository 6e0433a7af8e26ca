package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.egress.AddressClass;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// Requests that the worker makes for itself, to the services that hold secrets.
///
/// Their addresses were written by the operator, so a private network and the worker's own loopback
/// (a Vault agent) are fine; a metadata service, a neighbour on the wire and the addresses of
/// sandboxes never are, whatever a name leads to. A request in the clear goes to loopback only. A
/// redirect is an answer, not followed: it could carry the secret elsewhere. Every request has one
/// deadline for all of it, and answers are read up to 1 MiB.
///
/// The name is looked up and judged before each request, and the client that follows takes it from
/// the JVM's cache of names (`networkaddress.cache.ttl`, 30 s); the certificate binds the rest.
final class WorkerHttp implements AutoCloseable {
    static final Duration DEADLINE = Duration.ofSeconds(10);

    private static final int MAX_ANSWER = 1024 * 1024;
    private static final Set<AddressClass> NEVER =
            Set.of(
                    AddressClass.METADATA,
                    AddressClass.LINK_LOCAL,
                    AddressClass.UNSPECIFIED,
                    AddressClass.SYNTHETIC,
                    AddressClass.MULTICAST);

    private final HttpClient client;
    private final Lookup lookup;
    private final Duration deadline;

    /// Finds the addresses of a name; blocks.
    @FunctionalInterface
    interface Lookup {
        InetAddress[] find(String host) throws UnknownHostException;
    }

    /// An answer, whatever its status.
    ///
    /// @param status the status code
    /// @param body its JSON; missing if it was none
    record Reply(int status, JsonNode body) {
        boolean succeeded() {
            return status >= 200 && status < 300;
        }

        /// A member of the body that must be a text that is not empty.
        ///
        /// @throws CredentialException naming the member
        static String text(JsonNode object, String member, String who) throws CredentialException {
            JsonNode value = object.path(member);
            if (!value.isString() || value.asString().isEmpty()) {
                throw new CredentialException(who + " answered without " + member);
            }
            return value.asString();
        }
    }

    WorkerHttp() {
        this(InetAddress::getAllByName, DEADLINE);
    }

    WorkerHttp(Lookup lookup, Duration deadline) {
        this.lookup = lookup;
        this.deadline = deadline;
        this.client =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .connectTimeout(deadline)
                        .build();
    }

    /// Sends the request and reads the answer.
    ///
    /// @throws CredentialException if the address is refused or no answer comes in time; names the
    ///   host only
    Reply send(HttpRequest request) throws CredentialException {
        String host = request.uri().getHost();
        judge(request.uri());
        CompletableFuture<HttpResponse<byte[]>> sent =
                client.sendAsync(
                        request,
                        HttpResponse.BodyHandlers.limiting(
                                HttpResponse.BodyHandlers.ofByteArray(), MAX_ANSWER));
        try {
            HttpResponse<byte[]> answer = sent.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
            return new Reply(answer.statusCode(), json(answer.body()));
        } catch (TimeoutException e) {
            throw new CredentialException(host + " did not answer within " + deadline);
        } catch (ExecutionException e) {
            throw new CredentialException(host + " cannot be reached or does not speak HTTP", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CredentialException("the worker is ending");
        } finally {
            sent.cancel(true);
        }
    }

    /// Ends what is under way.
    @Override
    public void close() {
        client.shutdownNow();
    }

    private static JsonNode json(byte[] body) {
        try {
            return Json.read(body, JsonNode.class);
        } catch (JsonException e) {
            return JsonNodeFactory.instance.missingNode();
        }
    }

    private void judge(URI uri) throws CredentialException {
        String host = uri.getHost();
        if (host == null) {
            throw new CredentialException("the address of the service names no host");
        }
        boolean clear = "http".equals(uri.getScheme());
        try {
            for (InetAddress address : lookup.find(host)) {
                AddressClass kind = AddressClass.of(address);
                if (NEVER.contains(kind)) {
                    throw new CredentialException(
                            host + " leads to an address the worker never asks for a secret");
                }
                if (clear && kind != AddressClass.LOOPBACK) {
                    throw new CredentialException(
                            host + " is asked in the clear, which only loopback may be: use https");
                }
            }
        } catch (UnknownHostException e) {
            throw new CredentialException(host + " has no address", e);
        }
    }
}
