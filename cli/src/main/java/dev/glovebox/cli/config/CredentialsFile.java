package dev.glovebox.cli.config;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;

/// What a control plane leaves in `credentials.json` at its first start.
///
/// @param apiKey for applications
/// @param environmentId a ready-made self-hosted environment
/// @param environmentKey for a worker of that environment
public record CredentialsFile(Secret apiKey, String environmentId, Secret environmentKey) {
    private static final String NAME = "credentials.json";

    /// Reads the file in a control plane's data directory.
    public static CredentialsFile in(Path data) {
        Path file = data.resolve(NAME);
        try {
            JsonNode json = Json.tree(Files.readString(file));
            return new CredentialsFile(
                    new Secret(text(json, "api_key")),
                    text(json, "environment_id"),
                    new Secret(text(json, "environment_key")));
        } catch (IOException e) {
            throw new ConfigException(
                    "cannot read "
                            + file
                            + ": is it the directory of a control plane that was started once?",
                    e);
        } catch (JsonException | IllegalArgumentException e) {
            throw new ConfigException(
                    file + " is not what the control plane wrote: " + e.getMessage());
        }
    }

    private static String text(JsonNode json, String name) {
        return json.path(name).asString("");
    }
}
