package dev.glovebox.sandbox.image;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/// What is taken from an image's configuration, and that is all: the digests of its unpacked layers
/// and its environment.
///
/// `User` is not: the sandbox's own ids are. Neither are `Entrypoint`, `Cmd`, `WorkingDir`,
/// `Volumes`, `ExposedPorts`, `StopSignal`, `Healthcheck`, `OnBuild`, `Shell` and `Labels`: what
/// runs and where is for the caller to say, and a label could be an annotation that a runtime runs
/// as a hook.
///
/// @param diffIds of the unpacked layers, bottom first
record ImageSettings(List<Digest> diffIds, Map<String, String> environment) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
    private static final int MOST_VARIABLES = 128;
    private static final int LONGEST_VALUE = 16 * 1024;

    /// Ours to say, or run by a loader or shell before any command: left out.
    private static final Set<String> LEFT_OUT =
            Set.of(
                    "HOME",
                    "USER",
                    "LOGNAME",
                    "HOSTNAME",
                    "PWD",
                    "OLDPWD",
                    "TMPDIR",
                    "LD_PRELOAD",
                    "LD_AUDIT",
                    "BASH_ENV",
                    "ENV",
                    "PROMPT_COMMAND");

    ImageSettings {
        diffIds = List.copyOf(diffIds);
        environment = Map.copyOf(environment);
    }

    /// Reads a configuration.
    ///
    /// @throws ImageException if it is for another machine, has not one digest for each layer, or
    ///   an environment beyond its limits
    static ImageSettings read(byte[] document, int layers, String architecture) {
        JsonNode root = Manifest.json(document, "the image's configuration");
        String made = root.path("os").asString("") + "/" + root.path("architecture").asString("");
        if (!made.equals("linux/" + architecture)) {
            throw ImageException.image(
                    "the image is made for " + made + ", this machine is linux/" + architecture);
        }
        List<Digest> diffIds = new ArrayList<>();
        for (JsonNode digest : root.path("rootfs").path("diff_ids")) {
            try {
                diffIds.add(Digest.parse(digest.asString("")));
            } catch (IllegalArgumentException e) {
                throw ImageException.image("the image's configuration: " + e.getMessage());
            }
        }
        if (diffIds.size() != layers) {
            throw ImageException.image(
                    "an image of " + layers + " layers with " + diffIds.size() + " diff_ids");
        }
        return new ImageSettings(diffIds, environment(root.path("config").path("Env")));
    }

    private static Map<String, String> environment(JsonNode lines) {
        Map<String, String> environment = new LinkedHashMap<>();
        if (lines.size() > MOST_VARIABLES) {
            throw ImageException.image("an image with more than 128 variables");
        }
        for (JsonNode line : lines) {
            String text = line.asString("");
            int equals = text.indexOf('=');
            String name = equals < 0 ? text : text.substring(0, equals);
            if (equals < 0 || !NAME.matcher(name).matches()) {
                throw ImageException.image("an image with a variable that is not one: " + name);
            }
            String value = text.substring(equals + 1);
            if (value.length() > LONGEST_VALUE || value.indexOf('\0') >= 0) {
                throw ImageException.image("an image with too long a value of " + name);
            }
            if (!LEFT_OUT.contains(name)) {
                environment.put(name, value);
            }
        }
        return environment;
    }
}
