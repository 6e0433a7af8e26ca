package dev.glovebox.spec.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The clients of a benchmark: `wrk` for HTTP/1.1, `h2load` for HTTP/2, `curl` for one large body.
/// A run in which a request fails counts for nothing and ends the benchmark.
final class Load {
    private static final Duration MOST = Duration.ofSeconds(90);
    private static final Pattern WRK_RATE = Pattern.compile("Requests/sec:\\s+([0-9.]+)");
    private static final Pattern WRK_LATENCY = Pattern.compile("(50|99)%\\s+([0-9.]+)(us|ms|s)\\b");
    private static final Pattern WRK_FAULT =
            Pattern.compile("Non-2xx or 3xx responses: .*|Socket errors: .*");
    private static final Pattern H2_RATE = Pattern.compile("finished in \\S+, ([0-9.]+) req/s");
    private static final Pattern H2_FAULT =
            Pattern.compile("([1-9][0-9]* failed|[1-9][0-9]* errored)");
    private static final Map<String, Double> NANOS = Map.of("us", 1e3, "ms", 1e6, "s", 1e9);

    private final Path folder;

    /// @param folder for what the clients write
    Load(Path folder) {
        this.folder = folder;
    }

    /// What one run found.
    ///
    /// @param rate requests a second
    /// @param p50 time from a request to its answer that half of them stay under
    /// @param p99 the same for 99 of 100
    record Rate(double rate, Duration p50, Duration p99) {}

    /// Asks for the small answer, on each connection again as soon as it has come.
    Rate requests(Lane lane, int connections, int seconds) throws IOException {
        return lane.kind() == Lane.Kind.HTTP2
                ? h2load(lane, connections, seconds)
                : wrk(lane, connections, seconds, "keep-alive");
    }

    /// Asks for the small answer, each time on a connection of its own, over HTTP/1.1.
    Rate connections(Lane lane, int connections, int seconds) throws IOException {
        return wrk(lane, connections, seconds, "close");
    }

    private Rate wrk(Lane lane, int connections, int seconds, String connection)
            throws IOException {
        String out =
                run(
                        lane.client(
                                List.of(
                                        "wrk",
                                        "-t1",
                                        "-c" + connections,
                                        "-d" + seconds + "s",
                                        "--timeout",
                                        "60s",
                                        "--latency",
                                        "-H",
                                        "Connection: " + connection,
                                        lane.url() + lane.path())));
        Matcher fault = WRK_FAULT.matcher(out);
        if (fault.find()) {
            throw new IllegalStateException(lane.name() + ": " + fault.group());
        }
        List<Duration> latency = new ArrayList<>();
        Matcher each = WRK_LATENCY.matcher(out);
        while (each.find()) {
            double nanos = Double.parseDouble(each.group(2)) * NANOS.get(each.group(3));
            latency.add(Duration.ofNanos(Math.round(nanos)));
        }
        return new Rate(first(WRK_RATE, out), latency.getFirst(), latency.getLast());
    }

    private Rate h2load(Lane lane, int connections, int seconds) throws IOException {
        Path log = folder.resolve("h2load");
        Files.deleteIfExists(log);
        String out =
                run(
                        lane.client(
                                List.of(
                                        "h2load",
                                        "-t1",
                                        "-c" + connections,
                                        "--duration=" + seconds,
                                        "--log-file=" + log,
                                        lane.url() + lane.path())));
        List<Duration> times = new ArrayList<>();
        for (String line : Files.readAllLines(log)) {
            String[] columns = line.split("\t", -1);
            if (!columns[1].startsWith("2")) {
                throw new IllegalStateException(lane.name() + ": status " + columns[1]);
            }
            times.add(Duration.ofNanos(Long.parseLong(columns[2]) * 1000));
        }
        Matcher fault = H2_FAULT.matcher(out);
        if (fault.find()) {
            throw new IllegalStateException(lane.name() + ": " + out);
        }
        Figures figures = new Figures(times);
        return new Rate(first(H2_RATE, out), figures.percentile(0.5), figures.percentile(0.99));
    }

    /// Fetches a large body and throws it away.
    ///
    /// @return bytes a second
    double body(Lane lane, String path, long length) throws IOException {
        List<String> line =
                List.of(
                        "curl",
                        "-sS",
                        "-o",
                        "/dev/null",
                        "--noproxy",
                        "*",
                        lane.kind() == Lane.Kind.HTTP2 ? "--http2" : "--http1.1",
                        "--cacert",
                        lane.authority().toString(),
                        "-w",
                        "%{http_code} %{size_download} %{time_total}",
                        lane.url() + path);
        String out = run(lane.client(line));
        String[] words = out.strip().split(" ", -1);
        if (!words[0].equals("200") || Long.parseLong(words[1]) != length) {
            throw new IllegalStateException(lane.name() + ": " + out);
        }
        return length / Double.parseDouble(words[2]);
    }

    private static double first(Pattern pattern, String text) {
        Matcher found = pattern.matcher(text);
        if (!found.find()) {
            throw new IllegalStateException("no rate in " + text);
        }
        return Double.parseDouble(found.group(1));
    }

    private String run(List<String> command) throws IOException {
        Path out = folder.resolve("client");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(out.toFile())
                        .start();
        try {
            if (!process.waitFor(MOST.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IllegalStateException("did not end: " + String.join(" ", command));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
        String text = Files.readString(out);
        if (process.exitValue() != 0) {
            throw new IllegalStateException(String.join(" ", command) + ": " + text);
        }
        return text;
    }
}
