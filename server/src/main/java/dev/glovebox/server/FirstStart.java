package dev.glovebox.server;

import dev.glovebox.protocol.IdKind;
import dev.glovebox.protocol.Json;
import dev.glovebox.server.access.Credentials;
import dev.glovebox.server.store.Store;
import dev.glovebox.server.store.Transaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.random.RandomGenerator;
import tools.jackson.databind.node.ObjectNode;

/// What a control plane does once in its life: it makes an API key, a self-hosted environment and a
/// key for that, and leaves them in `credentials.json`, readable by its owner alone.
///
/// The file is written before the transaction that makes its contents valid. A crash in between
/// leaves a file that opens nothing, and the next start writes it anew; the other way round the
/// keys would be lost.
final class FirstStart {
    static final String FILE = "credentials.json";
    private static final String ENVIRONMENT_NAME = "default";

    private final Store store;
    private final Credentials credentials;
    private final RandomGenerator random;
    private final Path directory;

    FirstStart(Store store, Credentials credentials, RandomGenerator random, Path directory) {
        this.store = store;
        this.credentials = credentials;
        this.random = random;
        this.directory = directory;
    }

    void run() {
        store.write(tx -> {
            boolean fresh =
                    tx.handle()
                            .createQuery("SELECT 1 FROM credentials WHERE kind = 'api_key'")
                            .mapTo(Integer.class)
                            .findFirst()
                            .isEmpty();
            if (fresh) {
                make(tx);
            }
            return fresh;
        });
    }

    private void make(Transaction tx) {
        String environment = IdKind.ENVIRONMENT.next(random);
        makeEnvironment(tx, environment);
        String suffix = IdKind.REQUEST.next(random).substring(IdKind.REQUEST.prefix().length());
        ObjectNode contents =
                Json.object()
                        .put(
                                "api_key",
                                credentials
                                        .mint(
                                                tx,
                                                Credentials.Grant.apiKey(
                                                        "apikey_" + suffix, "first start"))
                                        .reveal())
                        .put("environment_id", environment)
                        .put(
                                "environment_key",
                                credentials
                                        .mint(
                                                tx,
                                                Credentials.Grant.environmentKey(
                                                        IdKind.ENVIRONMENT_KEY.next(random),
                                                        "first start",
                                                        environment))
                                        .reveal());
        try {
            write(Json.writeBytes(contents));
        } catch (IOException e) {
            throw new ServerException("cannot write " + directory.resolve(FILE), e);
        }
    }

    private static void makeEnvironment(Transaction tx, String id) {
        String now = tx.now();
        ObjectNode body =
                Json.object()
                        .put("type", "environment")
                        .put("id", id)
                        .put("name", ENVIRONMENT_NAME)
                        .putNull("description");
        body.putObject("config").put("type", "self_hosted");
        body.putObject("metadata");
        body.put("scope", "organization")
                .put("created_at", now)
                .put("updated_at", now)
                .putNull("archived_at");
        tx.handle()
                .createUpdate(
                        """
                        INSERT INTO environments (id, name, kind, body, created_at, updated_at)
                        VALUES (:id, :name, 'self_hosted', :body, :now, :now)
                        """)
                .bind("id", id)
                .bind("name", ENVIRONMENT_NAME)
                .bind("body", Json.write(body))
                .bind("now", now)
                .execute();
    }

    private void write(byte[] contents) throws IOException {
        Path temporary = directory.resolve(FILE + ".new");
        Files.deleteIfExists(temporary);
        try (FileChannel out =
                FileChannel.open(
                        temporary,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")))) {
            ByteBuffer buffer = ByteBuffer.wrap(contents);
            while (buffer.hasRemaining()) {
                out.write(buffer);
            }
            out.force(true);
        }
        Files.move(temporary, directory.resolve(FILE), StandardCopyOption.ATOMIC_MOVE);
    }
}
