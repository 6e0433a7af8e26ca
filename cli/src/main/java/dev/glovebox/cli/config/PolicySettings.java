package dev.glovebox.cli.config;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Networking;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.worker.policy.PolicyFiles;
import dev.glovebox.worker.policy.Wish;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ObjectNode;

/// What a worker's file says about what sandboxes may reach.
///
/// ```yaml
/// policy: policy.yaml                      # of every session that asks for no other
/// policies:                                # that a session can ask for
///   build: build.yaml
///   research: research.yaml
/// session-metadata: [policy, networking]   # what a session can ask for; default: nothing
/// networking:                              # what every policy is narrowed to; default: itself
///   type: limited                          # or unrestricted
///   allowed_hosts: [good.example.com]
///   allow_package_managers: true
///   allow_mcp_servers: false               # no effect: a sandbox speaks to none
/// ```
public final class PolicySettings {
    /// The keys it reads.
    static final Set<String> KEYS =
            Set.of(
                    "policy",
                    "policies.*",
                    "session-metadata[]",
                    "networking.type",
                    "networking.allowed_hosts[]",
                    "networking.allow_package_managers",
                    "networking.allow_mcp_servers");

    private PolicySettings() {}

    /// Reads the part, and each policy it names.
    ///
    /// @param ofTemplate a policy for sessions that ask for no other, if the file names none
    static PolicyFiles read(Settings settings, Optional<Path> ofTemplate) {
        Optional<Path> standard =
                settings.get("policy", text -> checked(settings.directory().resolve(text)));
        Map<String, Path> named = new LinkedHashMap<>();
        for (String name : settings.below("policies").keySet()) {
            settings.get("policies." + name, text -> named(settings, name, text))
                    .ifPresent(path -> named.put(name, path));
        }
        Networking ceiling =
                settings.section("networking", () -> networking(settings))
                        .orElse(new Networking.Unrestricted());
        return new PolicyFiles(
                standard.or(() -> ofTemplate),
                named,
                ceiling,
                Set.copyOf(settings.each("session-metadata", PolicySettings::wish)));
    }

    /// The policy in a file.
    ///
    /// @throws ConfigException when there is no such file or it is no policy; the message lists
    ///   everything wrong with it
    public static EgressPolicy policy(Path file) {
        try {
            return EgressPolicy.parse(Files.readString(file));
        } catch (NoSuchFileException e) {
            throw new ConfigException("policy " + file + " is not there", e);
        } catch (AccessDeniedException e) {
            throw new ConfigException("policy " + file + " may not be read", e);
        } catch (IOException e) {
            throw new ConfigException("cannot read policy " + file + ": " + e.getMessage(), e);
        } catch (PolicyException e) {
            throw new ConfigException(
                    "policy "
                            + file
                            + " is invalid, nothing would be allowed:\n    "
                            + String.join("\n    ", e.problems()),
                    e);
        }
    }

    /// The file, if it holds a policy.
    static Path checked(Path file) {
        policy(file);
        return file;
    }

    private static Path named(Settings settings, String name, String text) {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9_-]{0,63}") || name.equals("default")) {
            throw new IllegalArgumentException(
                    "is not a name of 1-64 letters, digits, _ and -, other than default");
        }
        return checked(settings.directory().resolve(text));
    }

    private static Wish wish(String text) {
        return Arrays.stream(Wish.values())
                .filter(wish -> wish.text().equals(text))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException(
                                "'"
                                        + text
                                        + "' is not one of "
                                        + Arrays.stream(Wish.values())
                                                .map(Wish::text)
                                                .collect(Collectors.joining(", "))));
    }

    private static Networking networking(Settings settings) {
        ObjectNode json = Json.object();
        settings.below("networking")
                .forEach((key, text) -> {
                    if (key.startsWith("allow_") && text.matches("true|false")) {
                        json.put(key, text.equals("true"));
                    } else {
                        json.put(key, text);
                    }
                });
        if (settings.lists("networking.allowed_hosts")) {
            settings.words("networking.allowed_hosts").forEach(json.putArray("allowed_hosts")::add);
        }
        return Networking.of(json);
    }
}
