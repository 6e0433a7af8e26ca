package dev.glovebox.protocol.agent;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.glovebox.protocol.Union;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// What an agent may call, as the API shows it: toolsets with every default resolved, and custom
/// tools.
@JsonIgnoreProperties(value = "type", allowGetters = true)
public sealed interface Tool {
    /// The kinds this version knows.
    // class literals and method references do not initialise the members, so there is no cycle
    @SuppressWarnings("ClassInitializationDeadlock")
    Union<Tool> UNION =
            new Union<>(
                    Map.of(
                            "agent_toolset_20260401", AgentToolset.class,
                            "custom", Custom.class),
                    Other::new);

    /// The wire name, such as `agent_toolset_20260401`.
    @JsonProperty("type")
    default String type() {
        return UNION.typeOf(getClass());
    }

    /// The tools of the sandbox (`bash`, `read`, `write`, `edit`, `glob`, `grep`) and of the web.
    ///
    /// @param configs one entry per tool that differs from the default, `type` being its name again
    record AgentToolset(DefaultConfig defaultConfig, List<Config> configs) implements Tool {
        /// The permission and availability of one tool: its own entry, else the default.
        public DefaultConfig resolve(String tool) {
            return configs.stream()
                    .filter(c -> c.name().equals(tool))
                    .findFirst()
                    .map(c -> new DefaultConfig(c.enabled(), c.permissionPolicy()))
                    .orElse(defaultConfig);
        }
    }

    /// What holds for tools without an entry of their own.
    record DefaultConfig(boolean enabled, PermissionPolicy permissionPolicy) {}

    /// One tool's own setting.
    record Config(String type, String name, boolean enabled, PermissionPolicy permissionPolicy) {}

    /// How calls of a tool are permitted.
    record PermissionPolicy(Mode type) {
        /// The ways to decide.
        public enum Mode {
            ALWAYS_ALLOW,
            ALWAYS_ASK,
            AUTO;

            /// The word on the wire.
            @JsonValue
            public String wire() {
                return name().toLowerCase(Locale.ROOT);
            }

            /// Reads the word on the wire; one of a later version asks, so that doubt never runs a
            /// call.
            @JsonCreator
            static Mode of(String word) {
                return switch (word) {
                    case "always_allow" -> ALWAYS_ALLOW;
                    case "auto" -> AUTO;
                    default -> ALWAYS_ASK;
                };
            }
        }
    }

    /// A tool that the agent's owner answers.
    record Custom(String name, String description, ObjectNode inputSchema) implements Tool {}

    /// A tool or toolset carried through whole.
    record Other(String type, @JsonValue ObjectNode json) implements Tool {}
}
