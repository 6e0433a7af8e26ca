package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Fields;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The `config` of an environment, checked and with every default spelt out. What an update does
/// not send stays, at every level.
final class EnvironmentConfig {
    static final String SELF_HOSTED = "self_hosted";
    private static final String CLOUD = "cloud";
    private static final String LIMITED = "limited";
    private static final List<String> MANAGERS = List.of("apt", "cargo", "gem", "go", "npm", "pip");
    private static final int MAX_HOSTS = 256;
    private static final int MAX_PACKAGES = 256;
    private static final int MAX_PACKAGE = 256;
    private static final Pattern HOST =
            Pattern.compile(
                    "(?=.{1,253}$)(\\*\\.)?[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})"
                            + "(\\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*");

    private EnvironmentConfig() {}

    /// What an environment gets that was made without a config.
    static ObjectNode cloud() {
        ObjectNode config = Json.object().put("type", CLOUD);
        config.putObject("networking").put("type", "unrestricted");
        ObjectNode packages = config.putObject("packages").put("type", "packages");
        MANAGERS.forEach(packages::putArray);
        return config;
    }

    /// The config of a new environment.
    static ObjectNode create(Fields sent) {
        String type = AgentRules.mustBe(sent, "type", Set.of(CLOUD, SELF_HOSTED));
        return merge(type.equals(CLOUD) ? cloud() : Json.object().put("type", SELF_HOSTED), sent);
    }

    /// The config after an update.
    static ObjectNode update(JsonNode before, Fields sent) {
        String kind = before.path("type").asString("");
        String asked = sent.optionalText("type").orElse(kind);
        if (!asked.equals(kind)) {
            throw new ProblemException(
                    Problem.of(
                            Problem.Kind.INVALID_REQUEST,
                            sent.path("type") + ": cannot be changed from " + kind,
                            "invalid_config_type_change"));
        }
        return merge((ObjectNode) before.deepCopy(), sent);
    }

    private static ObjectNode merge(ObjectNode config, Fields sent) {
        if (config.path("type").asString("").equals(SELF_HOSTED)) {
            sent.only(Set.of("type"));
            return config;
        }
        sent.only(Set.of("type", "networking", "packages"));
        sent.object("networking")
                .ifPresent(n -> config.set("networking", networking(config.path("networking"), n)));
        if (config.get("packages") instanceof ObjectNode packages) {
            sent.object("packages").ifPresent(p -> packages(packages, p));
        }
        mustBeInstallable(config, sent);
        return config;
    }

    private static ObjectNode networking(JsonNode before, Fields sent) {
        String type = before.path("type").asString("");
        if (sent.optionalText("type").isPresent()) {
            type = AgentRules.mustBe(sent, "type", Set.of("unrestricted", LIMITED));
        }
        ObjectNode networking = Json.object().put("type", type);
        if (!type.equals(LIMITED)) {
            sent.only(Set.of("type"));
            return networking;
        }
        sent.only(Set.of("type", "allowed_hosts", "allow_mcp_servers", "allow_package_managers"));
        if (sent.object().hasNonNull("allowed_hosts")) {
            networking.set("allowed_hosts", hosts(sent));
        } else if (before.get("allowed_hosts") instanceof ArrayNode hosts) {
            networking.set("allowed_hosts", hosts.deepCopy());
        } else {
            networking.putArray("allowed_hosts");
        }
        for (String name : List.of("allow_mcp_servers", "allow_package_managers")) {
            networking.put(
                    name,
                    sent.object().hasNonNull(name)
                            ? sent.flag(name)
                            : before.path(name).asBoolean(false));
        }
        return networking;
    }

    private static ArrayNode hosts(Fields sent) {
        ArrayNode hosts = Json.object().putArray("allowed_hosts");
        for (String host : sent.texts("allowed_hosts", MAX_HOSTS)) {
            if (!HOST.matcher(host).matches()) {
                throw sent.refuse(
                        "allowed_hosts", "must be names or *.names, without scheme, port or path");
            }
            hosts.add(host);
        }
        return hosts;
    }

    /// A package is given to its manager as an argument, so nothing that reads as an option is one.
    private static void packages(ObjectNode packages, Fields sent) {
        Set<String> known = new java.util.HashSet<>(MANAGERS);
        known.add("type");
        sent.only(known);
        if (sent.has("type")) {
            AgentRules.mustBe(sent, "type", Set.of("packages"));
        }
        for (String manager : MANAGERS) {
            if (sent.object().hasNonNull(manager)) {
                ArrayNode names = packages.putArray(manager);
                for (String name : sent.texts(manager, MAX_PACKAGES)) {
                    if (name.isEmpty()
                            || name.length() > MAX_PACKAGE
                            || name.startsWith("-")
                            || name.chars().anyMatch(c -> c <= ' ' || c == 0x7f)) {
                        throw sent.refuse(
                                manager,
                                "must be package names of 1 to " + MAX_PACKAGE + " characters");
                    }
                    names.add(name);
                }
            }
        }
    }

    private static void mustBeInstallable(ObjectNode config, Fields sent) {
        JsonNode networking = config.path("networking");
        boolean any = MANAGERS.stream().anyMatch(m -> !config.path("packages").path(m).isEmpty());
        if (any
                && networking.path("type").asString("").equals(LIMITED)
                && !networking.path("allow_package_managers").asBoolean(false)) {
            throw sent.refuse(
                    "packages", "need allow_package_managers: true when networking is limited");
        }
    }
}
