package dev.glovebox.protocol.egress;

import dev.glovebox.protocol.egress.file.Presets;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// The `networking` of an environment or a session, as the Managed Agents API spells it: a wish
/// that narrows what the operator's policy allows, and never widens it.
public sealed interface Networking {

    /// What is left of the operator's policy.
    ///
    /// @throws PolicyException if that makes more rules than a policy may have
    EgressPolicy within(EgressPolicy operators);

    /// Nothing is wished away.
    record Unrestricted() implements Networking {
        @Override
        public EgressPolicy within(EgressPolicy operators) {
            return operators;
        }
    }

    /// Only these hosts.
    ///
    /// @param allowedHosts names and `*.NAME`, which is one label below the name
    /// @param packageManagers whether the hosts of every preset but the source forges are meant too
    record Limited(List<HostPattern> allowedHosts, boolean packageManagers) implements Networking {
        private static final List<String> MANAGERS =
                List.of(
                        "alpine",
                        "crates",
                        "debian",
                        "go",
                        "gradle",
                        "maven",
                        "npm",
                        "pypi",
                        "rubygems",
                        "ubuntu");

        public Limited {
            allowedHosts = List.copyOf(allowedHosts);
        }

        @Override
        public EgressPolicy within(EgressPolicy operators) {
            List<HostPattern> hosts = new ArrayList<>(allowedHosts);
            if (packageManagers) {
                MANAGERS.stream()
                        .flatMap(name -> Presets.rules(name).stream())
                        .map(EgressRule::host)
                        .forEach(hosts::add);
            }
            return operators.within(hosts);
        }
    }

    /// Reads `{"type": "unrestricted"}` or `{"type": "limited", "allowed_hosts": [...],
    /// "allow_package_managers": ..., "allow_mcp_servers": ...}`.
    ///
    /// MCP servers are spoken to by the control plane and not by the sandbox, so their flag opens
    /// nothing here.
    ///
    /// @throws PolicyException for anything else
    static Networking of(JsonNode networking) {
        String type = networking.path("type").asString("");
        for (String key : networking.propertyNames()) {
            boolean known =
                    key.equals("type")
                            || (type.equals("limited")
                                    && List.of(
                                                    "allowed_hosts",
                                                    "allow_package_managers",
                                                    "allow_mcp_servers")
                                            .contains(key));
            if (!known) {
                throw new PolicyException("networking." + Quoted.of(key) + " is not a key here");
            }
        }
        return switch (type) {
            case "unrestricted" -> new Unrestricted();
            case "limited" -> {
                flag(networking, "allow_mcp_servers");
                yield new Limited(
                        hosts(networking.path("allowed_hosts")),
                        flag(networking, "allow_package_managers"));
            }
            default ->
                    throw new PolicyException(
                            "networking.type "
                                    + Quoted.of(type)
                                    + " is not unrestricted or limited");
        };
    }

    private static List<HostPattern> hosts(JsonNode hosts) {
        if (!hosts.isMissingNode() && !hosts.isArray()) {
            throw new PolicyException("networking.allowed_hosts is not a list");
        }
        List<HostPattern> patterns = new ArrayList<>();
        for (JsonNode host : hosts) {
            if (!host.isString() || host.asString().startsWith(".")) {
                throw new PolicyException("networking.allowed_hosts holds what is no host");
            }
            patterns.add(HostPattern.parse(host.asString()));
        }
        return patterns;
    }

    private static boolean flag(JsonNode networking, String key) {
        JsonNode flag = networking.path(key);
        if (!flag.isMissingNode() && !flag.isBoolean()) {
            throw new PolicyException("networking." + key + " is not true or false");
        }
        return flag.asBoolean(false);
    }
}
