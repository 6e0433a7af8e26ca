package dev.glovebox.spec.parity;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// One tool call that both workers get, from the tables under `parity/`.
///
/// @param name unique in its table; the calls of one table run in order on one session
/// @param input with `${W}` where the worker's own working directory goes
record ParityCase(String name, String tool, JsonNode input) {
    private static final JsonMapper JSON = JsonMapper.shared();

    /// The table `parity/<name>.jsonl`.
    static List<ParityCase> table(String name) {
        return resource(name + ".jsonl")
                .lines()
                .map(JSON::readTree)
                .map(row ->
                        new ParityCase(
                                row.get("case").asString(),
                                row.get("tool").asString(),
                                row.get("input")))
                .toList();
    }

    /// The input with a working directory put in.
    JsonNode inputIn(String workdir) {
        return JSON.readTree(JSON.writeValueAsString(input).replace("${W}", workdir));
    }

    static String resource(String name) {
        try (InputStream in = ParityCase.class.getResourceAsStream("/parity/" + name)) {
            if (in == null) {
                throw new IllegalStateException("no resource parity/" + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("read parity/" + name, e);
        }
    }
}
