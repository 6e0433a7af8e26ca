package dev.glovebox.worker;

import dev.glovebox.protocol.Secret;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// How a worker works.
///
/// @param baseUrl of the control plane, such as `https://api.anthropic.com`; a path prefix is kept
/// @param environmentId the environment whose queue is served
/// @param environmentKey credential for that queue; never seen by a sandbox, a log or a file
/// @param dataDirectory where this worker keeps what must outlive it
/// @param maxSessions sessions served at once; while so many are, the worker does not poll
/// @param maxIdle time after the end of a turn after which a session is left; zero = never
/// @param drainGrace time that running calls have when the worker is told to end
/// @param place what each session gets
public record WorkerConfig(
        URI baseUrl,
        String environmentId,
        Secret environmentKey,
        Path dataDirectory,
        int maxSessions,
        Duration maxIdle,
        Duration drainGrace,
        PlaceConfig place) {
    /// Most sessions a worker may be told to serve at once.
    public static final int MOST_SESSIONS = 10_000;

    private static final Duration LONGEST = Duration.ofDays(1);

    /// @throws WorkerException listing everything that is wrong
    public WorkerConfig {
        List<String> problems = new ArrayList<>();
        if (!"http".equals(baseUrl.getScheme()) && !"https".equals(baseUrl.getScheme())) {
            problems.add("base-url must begin with http:// or https://: " + baseUrl);
        } else if (baseUrl.getHost() == null || baseUrl.getRawUserInfo() != null) {
            problems.add("base-url must have a host and no user: " + baseUrl.getHost());
        } else if (baseUrl.getRawQuery() != null || baseUrl.getRawFragment() != null) {
            problems.add("base-url must have no query and no fragment: " + baseUrl);
        }
        if (environmentId.isBlank()) {
            problems.add("environment-id must not be empty");
        }
        if (maxSessions < 1 || maxSessions > MOST_SESSIONS) {
            problems.add("max-sessions must be 1 to " + MOST_SESSIONS + ": " + maxSessions);
        }
        checkTime("max-idle", maxIdle, problems);
        checkTime("drain-grace", drainGrace, problems);
        if (!problems.isEmpty()) {
            throw new WorkerException(String.join("\n", problems));
        }
    }

    /// With 16 sessions at once, 60 s idle, 30 s grace, and the default place.
    public static WorkerConfig of(
            URI baseUrl, String environmentId, Secret environmentKey, Path dataDirectory) {
        return new WorkerConfig(
                baseUrl,
                environmentId,
                environmentKey,
                dataDirectory,
                16,
                Duration.ofSeconds(60),
                Duration.ofSeconds(30),
                PlaceConfig.DEFAULT);
    }

    /// The same with another number of sessions at once.
    public WorkerConfig withMaxSessions(int count) {
        return new WorkerConfig(
                baseUrl,
                environmentId,
                environmentKey,
                dataDirectory,
                count,
                maxIdle,
                drainGrace,
                place);
    }

    /// The same with another idle time.
    public WorkerConfig withMaxIdle(Duration time) {
        return new WorkerConfig(
                baseUrl,
                environmentId,
                environmentKey,
                dataDirectory,
                maxSessions,
                time,
                drainGrace,
                place);
    }

    /// The same with another grace.
    public WorkerConfig withDrainGrace(Duration time) {
        return new WorkerConfig(
                baseUrl,
                environmentId,
                environmentKey,
                dataDirectory,
                maxSessions,
                maxIdle,
                time,
                place);
    }

    /// The same with another place.
    public WorkerConfig withPlace(PlaceConfig other) {
        return new WorkerConfig(
                baseUrl,
                environmentId,
                environmentKey,
                dataDirectory,
                maxSessions,
                maxIdle,
                drainGrace,
                other);
    }

    private static void checkTime(String key, Duration time, List<String> problems) {
        if (time.isNegative() || time.compareTo(LONGEST) > 0) {
            problems.add(key + " must be 0 s to 24 h: " + time);
        }
    }
}
