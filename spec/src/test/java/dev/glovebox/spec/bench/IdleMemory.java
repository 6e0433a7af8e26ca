package dev.glovebox.spec.bench;

import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// What a connection costs that is open and says nothing: the part of [BenchEgress] about memory.
///
/// Run as a program it is doors and nothing else, so that the memory of its process is theirs.
final class IdleMemory {
    private static final int WARM_UP = 8;
    private static final int DOORS = 4;

    /// The heap shrinks by steps.
    private static final int COLLECTIONS = 4;

    /// Has a JVM give back what it does not use after each collection.
    private static final List<String> SPARING =
            List.of(
                    "-XX:+UseSerialGC",
                    "-Xms16m",
                    "-XX:MinHeapFreeRatio=5",
                    "-XX:MaxHeapFreeRatio=10");

    private final Report report;
    private final EgressLab lab;
    private final OtherProxies others;
    private final Path folder;

    IdleMemory(Report report, EgressLab lab, OtherProxies others) throws IOException {
        this.report = report;
        this.lab = lab;
        this.others = others;
        this.folder = Files.createDirectory(lab.folder().resolve("idle"));
    }

    /// Arguments: a directory, the file of roots, and the file of the policy of all doors. Says
    /// where each door's namespace is, a line each; for each line of input it collects garbage and
    /// says so.
    public static void main(String[] args) throws IOException {
        EgressConfig config = EgressConfig.at(Path.of(args[0])).withRoots(Path.of(args[1]));
        BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try (Doors doors = Doors.open(config)) {
            EgressPolicy policy = EgressPolicy.parse(Files.readString(Path.of(args[2])));
            for (int i = 0; i < DOORS; i++) {
                Door door = doors.open("door-" + i, policy);
                System.out.println(door.networkNamespace());
            }
            while (in.readLine() != null) {
                for (int i = 0; i < COLLECTIONS; i++) {
                    System.gc();
                }
                System.out.println("collected");
            }
        }
    }

    /// @param connections of a client, at most as many as a door lets its sandbox have
    void run(int connections) throws IOException {
        report.section(
                "Memory of an idle connection",
                "What the resident memory of the process grew by for each of "
                        + DOORS * connections
                        + " connections that have had one request answered and stay, after "
                        + DOORS * WARM_UP
                        + " that are not counted, in "
                        + DOORS
                        + " doors. Each kind of door has a JVM of its own, which collects garbage and gives memory back before it is"
                        + " looked at. What the kernel holds for sockets is in none of these.",
                "",
                "a connection");
        door(Lane.Kind.HTTPS, "tls", false, connections);
        door(Lane.Kind.CLEAR, "http", true, connections);
        door(Lane.Kind.HTTPS, "https", true, connections);
        Lane mitmproxy = others.mitmproxy(Lane.Kind.HTTPS);
        row(
                mitmproxy,
                Collections.nCopies(DOORS, mitmproxy.prefix()),
                others::mitmproxyMemory,
                connections);
        others.redirect(true);
        Lane squid = others.squid();
        row(squid, Collections.nCopies(DOORS, squid.prefix()), others::squidMemory, connections);
        others.redirect(false);
        report.end();
    }

    private void door(Lane.Kind kind, String protocol, boolean credential, int connections)
            throws IOException {
        String name = kind.name() + "-" + protocol;
        Path policy =
                Files.writeString(folder.resolve(name), lab.policy(kind, protocol, credential));
        List<String> command =
                java(
                        SPARING,
                        IdleMemory.class,
                        folder.resolve(name + "-doors").toString(),
                        lab.root().toString(),
                        policy.toString());
        try (Conversation doors = new Conversation(command)) {
            List<List<String>> inside = new ArrayList<>();
            for (int i = 0; i < DOORS; i++) {
                inside.add(lab.inside(Path.of(doors.line())));
            }
            Memory memory =
                    () -> {
                        doors.say();
                        doors.line();
                        return doors.resident();
                    };
            row(lab.door(kind, protocol, credential), inside, memory, connections);
        }
    }

    private interface Memory {
        /// Kibibytes.
        long now() throws IOException;
    }

    private void row(Lane lane, List<List<String>> inside, Memory memory, int connections)
            throws IOException {
        grown(lane, inside, memory, WARM_UP);
        double grown = grown(lane, inside, memory, connections) / (DOORS * connections);
        report.row(lane.name(), String.format(Locale.ROOT, "%.0f KiB", grown));
    }

    /// Kibibytes for all connections.
    private static double grown(
            Lane lane, List<List<String>> inside, Memory memory, int connections)
            throws IOException {
        long before = memory.now();
        Deque<Conversation> holding = new ArrayDeque<>();
        try {
            for (List<String> each : inside) {
                holding.add(hold(lane, each, connections));
            }
            for (Conversation each : holding) {
                each.line();
            }
            return memory.now() - before;
        } finally {
            for (Conversation each : holding) {
                each.close();
            }
        }
    }

    private static Conversation hold(Lane lane, List<String> inside, int connections)
            throws IOException {
        List<String> client =
                java(
                        List.of(),
                        HeldConnections.class,
                        lane.url() + lane.path(),
                        Integer.toString(connections));
        return new Conversation(Stream.concat(inside.stream(), client.stream()).toList());
    }

    private static List<String> java(List<String> flags, Class<?> program, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(List.of(arguments));
        return command;
    }

    /// A program that is talked to in lines, and ends with its input.
    private static final class Conversation implements AutoCloseable {
        private static final int PATIENCE_SECONDS = 30;

        private final Process process;
        private final BufferedReader lines;

        Conversation(List<String> command) throws IOException {
            process =
                    new ProcessBuilder(command)
                            .redirectError(ProcessBuilder.Redirect.INHERIT)
                            .start();
            lines =
                    new BufferedReader(
                            new InputStreamReader(
                                    process.getInputStream(), StandardCharsets.UTF_8));
        }

        void say() throws IOException {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
        }

        String line() throws IOException {
            String line = lines.readLine();
            if (line == null) {
                throw new IllegalStateException("a program of the benchmark has ended");
            }
            return line;
        }

        long resident() {
            return Daemon.resident(process.pid());
        }

        @Override
        public void close() throws IOException {
            process.getOutputStream().close();
            try {
                if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
