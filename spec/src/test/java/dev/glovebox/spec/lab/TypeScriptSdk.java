package dev.glovebox.spec.lab;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The official TypeScript SDK, driven from Java: one Node process running `sdk.mjs`, one call a
/// line.
///
/// Every call has a deadline. What the SDK throws arrives here as [SdkError] with the class and
/// fields a TypeScript program would see.
public final class TypeScriptSdk implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final JsonMapper JSON = JsonMapper.shared();

    private final Process node;
    private final BufferedWriter commands;
    private final AtomicInteger numbers = new AtomicInteger();
    private final Map<Integer, CompletableFuture<JsonNode>> answers = new ConcurrentHashMap<>();
    private final Map<Integer, SdkStream> streams = new ConcurrentHashMap<>();

    private TypeScriptSdk(Process node) {
        this.node = node;
        this.commands = node.outputWriter();
    }

    /// Starts the SDK's process against a control plane.
    public static TypeScriptSdk against(URI baseUrl) {
        ProcessBuilder builder =
                new ProcessBuilder(NodeHome.ready().command("sdk.mjs"))
                        .redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().keySet().removeIf(name -> name.startsWith("ANTHROPIC_"));
        builder.environment().put("GLOVEBOX_BASE_URL", baseUrl.toString());
        try {
            TypeScriptSdk sdk = new TypeScriptSdk(builder.start());
            Thread.ofPlatform().daemon().name("typescript-sdk").start(sdk::read);
            return sdk;
        } catch (IOException e) {
            throw new UncheckedIOException("start node", e);
        }
    }

    /// The SDK's client that was given one credential.
    public Client as(String credential) {
        return new Client(credential);
    }

    @Override
    public void close() {
        node.destroy();
    }

    /// One SDK client.
    public final class Client {
        private final String credential;

        private Client(String credential) {
            this.credential = credential;
        }

        /// Calls a method such as `beta.sessions.create` and gives its result, JSON null for null
        /// and undefined.
        ///
        /// @throws SdkError what the SDK threw
        public JsonNode call(String method, Object... args) {
            return await(send("call", method, args), method).get("value");
        }

        /// Calls a list method and reads all pages with the SDK's own auto-pagination.
        public List<JsonNode> all(String method, Object... args) {
            return await(send("all", method, args), method).get("value").valueStream().toList();
        }

        /// Opens a stream; returns when the SDK has its response headers.
        public SdkStream open(String method, Object... args) {
            int number = numbers.incrementAndGet();
            SdkStream stream =
                    new SdkStream(() ->
                            await(request(numbers.incrementAndGet(), closing(number)), "close"));
            streams.put(number, stream);
            await(request(number, command("open", method, args)), method);
            return stream;
        }

        private CompletableFuture<JsonNode> send(String verb, String method, Object... args) {
            return request(numbers.incrementAndGet(), command(verb, method, args));
        }

        private ObjectNode command(String verb, String method, Object... args) {
            ObjectNode command = JSON.createObjectNode().put(verb, method).put("as", credential);
            var list = command.putArray("args");
            for (Object arg : args) {
                list.add(JSON.<JsonNode>valueToTree(arg));
            }
            return command;
        }
    }

    private static ObjectNode closing(int number) {
        return JSON.createObjectNode().put("close", number);
    }

    private CompletableFuture<JsonNode> request(int number, ObjectNode command) {
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        answers.put(number, answer);
        synchronized (commands) {
            try {
                commands.write(JSON.writeValueAsString(command.put("n", number)));
                commands.newLine();
                commands.flush();
            } catch (IOException e) {
                throw new UncheckedIOException("write to node", e);
            }
        }
        return answer;
    }

    private static JsonNode await(CompletableFuture<JsonNode> answer, String method) {
        try {
            JsonNode got = answer.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
            if (got.has("error")) {
                throw new SdkError(method, got.get("error"), got.path("ms").asLong());
            }
            return got;
        } catch (TimeoutException e) {
            throw new AssertionError(method + " gave no answer within " + DEADLINE, e);
        } catch (ExecutionException e) {
            throw new AssertionError(method + " failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(method + " interrupted", e);
        }
    }

    private void read() {
        try (BufferedReader lines = node.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonNode message = JSON.readTree(line);
                if (message.has("stream")) {
                    streams.get(message.get("stream").asInt()).accept(message);
                } else if (message.has("n")) {
                    answers.remove(message.get("n").asInt()).complete(message);
                }
            }
        } catch (IOException e) {
            answers.values().forEach(answer -> answer.completeExceptionally(e));
        }
        answers.values()
                .forEach(answer -> answer.completeExceptionally(new IOException("node has left")));
    }
}
