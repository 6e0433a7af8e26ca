package dev.glovebox.worker.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.EgressException;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Networking;
import dev.glovebox.protocol.egress.PolicyException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What becomes of doors when policy files are changed in all the ways that people and programs
/// change files.
@Timeout(120)
class LivePoliciesTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir Path directory;
    private final List<AutoCloseable> closing = new ArrayList<>();

    /// A door that only remembers what it was told.
    private static final class Told implements Judge {
        final List<EgressPolicy> policies = new CopyOnWriteArrayList<>();
        final List<String> reasons = new CopyOnWriteArrayList<>();
        volatile boolean stuck;

        @Override
        public void judgeBy(EgressPolicy policy, String by) {
            if (stuck && !policy.equals(EgressPolicy.DENY_ALL)) {
                throw new EgressException("credential \"key\" cannot be had");
            }
            policies.add(policy);
            reasons.add(by);
        }

        EgressPolicy now() {
            return policies.getLast();
        }
    }

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : closing.reversed()) {
            each.close();
        }
    }

    private LivePolicies open(PolicyFiles files) {
        LivePolicies live = LivePolicies.open(files, _ -> {});
        closing.add(live);
        return live;
    }

    private static PolicyFiles files(Path standard) {
        return new PolicyFiles(
                Optional.of(standard), Map.of(), new Networking.Unrestricted(), Set.of());
    }

    private Told bound(LivePolicies live) {
        Told door = new Told();
        SessionPolicy session = live.session("sesn_1");
        closing.add(session.bind(door));
        return door;
    }

    private static String text(String host) {
        return "rules:\n  - name: r\n    host: " + host + "\n    action: allow\n";
    }

    private static EgressPolicy policy(String host) {
        return EgressPolicy.parse(text(host));
    }

    private static void becomes(Told door, EgressPolicy policy) {
        await(PATIENCE, () -> door.now().equals(policy));
    }

    private static void await(Duration time, BooleanSupplier condition) {
        long deadline = System.nanoTime() + time.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("not within %s", time).isLessThan(deadline);
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void aFileWrittenInPlace_renamedOver_orLinkedAnew_isTaken() throws Exception {
        Path file = Files.writeString(directory.resolve("p.yaml"), text("a.test"));
        Told door = bound(open(files(file)));
        assertThat(door.now()).isEqualTo(policy("a.test"));

        Files.writeString(file, text("b.test"));
        becomes(door, policy("b.test"));

        Path next = Files.writeString(directory.resolve(".p.yaml.swp"), text("c.test"));
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        becomes(door, policy("c.test"));

        Files.move(file, directory.resolve("p.yaml~"));
        Files.writeString(file, text("d.test"));
        becomes(door, policy("d.test"));

        Path elsewhere = Files.createDirectory(directory.resolve("elsewhere"));
        Path target = Files.writeString(elsewhere.resolve("q.yaml"), text("e.test"));
        Files.delete(file);
        Files.createSymbolicLink(file, target);
        becomes(door, policy("e.test"));

        Files.writeString(target, text("f.test"));
        becomes(door, policy("f.test"));
        assertThat(door.reasons.getLast()).isEqualTo("policy files: policy default");
    }

    /// What a busy machine delays now and then is not counted.
    @Test
    void aChange_isInUseWithinASecond() throws Exception {
        Path file = Files.writeString(directory.resolve("p.yaml"), text("a.test"));
        Told door = bound(open(files(file)));
        List<Duration> times = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            String host = "h" + i + ".test";
            long start = System.nanoTime();
            Files.writeString(file, text(host));
            becomes(door, policy(host));
            times.add(Duration.ofNanos(System.nanoTime() - start));
        }
        times.sort(null);
        assertThat(times.get(4)).as("median of %s", times).isLessThan(Duration.ofSeconds(1));
    }

    /// As a volume of Kubernetes is changed: the file is a link through a link to a directory, and
    /// that link is exchanged.
    @Test
    void aDirectoryExchangedBehindALink_isTaken() throws Exception {
        Files.writeString(
                Files.createDirectory(directory.resolve("..1")).resolve("p"), text("a.test"));
        Files.writeString(
                Files.createDirectory(directory.resolve("..2")).resolve("p"), text("b.test"));
        Files.createSymbolicLink(directory.resolve("..data"), Path.of("..1"));
        Path file = directory.resolve("p.yaml");
        Files.createSymbolicLink(file, Path.of("..data/p"));
        Told door = bound(open(files(file)));
        assertThat(door.now()).isEqualTo(policy("a.test"));

        Path swap = directory.resolve("..data_tmp");
        Files.createSymbolicLink(swap, Path.of("..2"));
        Files.move(swap, directory.resolve("..data"), StandardCopyOption.ATOMIC_MOVE);

        becomes(door, policy("b.test"));
    }

    /// The directory that was watched is gone, and another has its name.
    @Test
    void aDirectoryThatIsReplaced_isWatchedAgain() throws Exception {
        Path own = Files.createDirectory(directory.resolve("conf"));
        Path file = Files.writeString(own.resolve("p.yaml"), text("a.test"));
        Told door = bound(open(files(file)));

        Files.move(own, directory.resolve("old"));
        Files.writeString(Files.createDirectory(own).resolve("p.yaml"), text("b.test"));
        await(PATIENCE, () -> door.now().equals(policy("b.test")));

        Files.writeString(file, text("c.test"));
        await(PATIENCE, () -> door.now().equals(policy("c.test")));
    }

    /// An invalid policy never widens access, nor takes any away: what was good last stays, and it
    /// is told.
    @Test
    void whatIsInvalid_changesNothingAndIsTold_andTheNextGoodOneIsTaken() throws Exception {
        Path file = Files.writeString(directory.resolve("p.yaml"), text("a.test"));
        LivePolicies live = open(files(file));
        Told door = bound(live);
        List<String> broken =
                List.of(
                        "",
                        "null",
                        "[]",
                        "rules: [{name: r, host: '*', action: allow}]",
                        "rules:\n  - name: r\n    host: b.test\n",
                        "rules: [",
                        text("b.test") + "defualt: learn\n",
                        text("b.test") + text("c.test"));
        for (String text : broken) {
            Files.writeString(file, text);
            await(PATIENCE, () -> live.fault().isPresent());
            assertThat(live.fault().orElseThrow().problems())
                    .as(text)
                    .isNotEmpty()
                    .allMatch(problem -> problem.startsWith(file.toString()));
            assertThat(door.policies).as(text).containsExactly(policy("a.test"));
            assertThat(live.book().standard()).isEqualTo(policy("a.test"));
            assertThat(bound(live).now()).as("a session to come").isEqualTo(policy("a.test"));
            Files.writeString(file, text("a.test"));
            await(PATIENCE, () -> live.fault().isEmpty());
        }
        Files.delete(file);
        await(PATIENCE, () -> live.fault().isPresent());
        assertThat(live.fault().orElseThrow().problems()).containsExactly(file + ": is not there");
        assertThat(door.policies).containsExactly(policy("a.test"));

        Files.writeString(file, text("b.test"));
        becomes(door, policy("b.test"));
        assertThat(live.fault()).isEmpty();
    }

    /// A policy cut off in the middle can be a policy, and a wider one: here without the line that
    /// leaves only some requests.
    @Test
    void aFileThatIsStillBeingWritten_isNotTakenByHalf() throws Exception {
        Path file = Files.writeString(directory.resolve("p.yaml"), text("a.test"));
        Told door = bound(open(files(file)));
        String half = "rules:\n  - {name: r, host: b.test, protocol: https, action: allow";
        String whole = half + ", methods: [GET], paths: [/x]}\n";
        int undisturbed = 0;
        for (int i = 0; i < 20 && undisturbed < 3; i++) {
            int before = door.policies.size();
            long start = System.nanoTime();
            try (OutputStream out = Files.newOutputStream(file)) {
                for (String piece : List.of(half + "}\n", "# and so on\n", "#".repeat(40))) {
                    out.write(piece.getBytes(StandardCharsets.UTF_8));
                    out.flush();
                    LockSupport.parkNanos(20_000_000);
                }
            }
            Files.writeString(file, whole);
            boolean inTime = Duration.ofNanos(System.nanoTime() - start).toMillis() < 100;
            becomes(door, EgressPolicy.parse(whole));
            if (inTime) {
                undisturbed++;
                assertThat(door.policies.subList(before, door.policies.size()))
                        .containsExactly(EgressPolicy.parse(whole));
            }
            Files.writeString(file, text("a.test"));
            becomes(door, policy("a.test"));
        }
        assertThat(undisturbed).as("rounds in which the writer was not held up").isPositive();
    }

    @Test
    void anInvalidPolicyAtTheStart_startsNothing() throws IOException {
        Path bad = Files.writeString(directory.resolve("p.yaml"), "rules: {}");
        for (Path file : List.of(bad, directory.resolve("nowhere.yaml"), directory)) {
            assertThatThrownBy(() -> LivePolicies.open(files(file), _ -> {}))
                    .isInstanceOf(PolicyException.class)
                    .hasMessageStartingWith(file + ": ");
        }
    }

    /// A credential that cannot be had makes the whole change void, for every door alike.
    @Test
    void aPolicyThatDoorsCannotJudgeBy_changesNothing() throws Exception {
        Path file = Files.writeString(directory.resolve("p.yaml"), text("a.test"));
        LivePolicies live =
                LivePolicies.open(
                        files(file),
                        policy -> {
                            if (!policy.credentials().isEmpty()) {
                                throw new EgressException("credential \"key\" cannot be had");
                            }
                        });
        closing.add(live);
        Told door = bound(live);

        Files.writeString(file, text("b.test") + "credentials: [{name: key, source: {env: K}}]\n");
        await(PATIENCE, () -> live.fault().isPresent());

        assertThat(live.fault().orElseThrow().problems())
                .containsExactly("credential \"key\" cannot be had");
        assertThat(door.policies).containsExactly(policy("a.test"));
    }

    /// A door that cannot take over a good policy may reach nothing, rather than what the old one
    /// allowed.
    @Test
    void aDoorThatFailsToFollow_mayReachNothing_untilItCan() throws Exception {
        Path file = Files.writeString(directory.resolve("p.yaml"), text("a.test"));
        LivePolicies live = open(files(file));
        Told door = new Told();
        SessionPolicy session = live.session("sesn_1");
        closing.add(session.bind(door));
        Told other = bound(live);
        door.stuck = true;

        Files.writeString(file, text("b.test"));
        becomes(other, policy("b.test"));
        becomes(door, EgressPolicy.DENY_ALL);
        assertThat(session.view().trouble()).contains("cannot be had");

        door.stuck = false;
        Files.writeString(file, text("c.test"));
        becomes(door, policy("c.test"));
        assertThat(session.view().trouble()).isEmpty();
    }

    /// What an operator took away by hand does not come back because a file was touched, or because
    /// the session got itself another sandbox.
    @Test
    void aPolicyGivenByHand_staysWithTheSession_untilItIsGivenBack() throws Exception {
        Path file = Files.writeString(directory.resolve("p.yaml"), text("a.test"));
        LivePolicies live = open(files(file));
        Told other = bound(live);
        SessionPolicy session = live.session("sesn_2");
        Told first = new Told();
        SessionPolicy.Binding binding = session.bind(first);
        session.byHand(EgressPolicy.DENY_ALL, "operator root");
        assertThat(first.now()).isEqualTo(EgressPolicy.DENY_ALL);
        assertThat(first.reasons.getLast()).isEqualTo("operator root: policy by hand");

        Files.writeString(file, text("b.test"));
        becomes(other, policy("b.test"));
        assertThat(first.now()).isEqualTo(EgressPolicy.DENY_ALL);
        binding.close();
        Told second = new Told();
        closing.add(session.bind(second));
        assertThat(second.now()).as("its next sandbox").isEqualTo(EgressPolicy.DENY_ALL);
        assertThat(session.view().name()).isEqualTo("by hand");

        session.byFiles("operator root");
        assertThat(second.now()).isEqualTo(policy("b.test"));
        assertThat(first.policies).as("the closed door").doesNotContain(policy("b.test"));
    }

    @Test
    void aPolicyGivenByHand_isNarrowedAsAnyOther_andRefusedWhole() throws Exception {
        PolicyFiles files =
                new PolicyFiles(
                        Optional.empty(),
                        Map.of(),
                        new Networking.Unrestricted(),
                        Set.of(Wish.NETWORKING));
        SessionPolicy session = open(files).session("sesn_1");
        session.wished(
                Json.object()
                        .put(
                                "glovebox.networking",
                                "{\"type\":\"limited\",\"allowed_hosts\":[\"a.test\"]}"));
        Told door = new Told();
        closing.add(session.bind(door));
        session.byHand(
                EgressPolicy.parse(
                        "rules: [{name: a, host: a.test, action: allow}, {name: b, host: b.test, action: allow}]"),
                "operator");
        assertThat(door.now().rules().stream().map(rule -> rule.host().text()))
                .containsExactly("a.test");

        door.stuck = true;
        assertThatThrownBy(() -> session.byHand(policy("a.test"), "operator"))
                .isInstanceOf(EgressException.class);
        door.stuck = false;
        assertThat(session.view().policy().rules()).hasSize(1);
        assertThat(door.policies).hasSize(2);
    }

    @Test
    void namedPolicies_followTheirOwnFiles() throws Exception {
        Path standard = Files.writeString(directory.resolve("p.yaml"), text("a.test"));
        Path build = Files.writeString(directory.resolve("build.yaml"), text("build.test"));
        LivePolicies live =
                open(
                        new PolicyFiles(
                                Optional.of(standard),
                                Map.of("build", build),
                                new Networking.Unrestricted(),
                                Set.of(Wish.POLICY)));
        SessionPolicy session = live.session("sesn_1");
        session.wished(Json.object().put("glovebox.policy", "build"));
        Told door = new Told();
        closing.add(session.bind(door));
        assertThat(door.now()).isEqualTo(policy("build.test"));

        Files.writeString(standard, text("z.test"));
        await(PATIENCE, () -> live.book().standard().equals(policy("z.test")));
        Files.writeString(build, text("other.test"));
        becomes(door, policy("other.test"));
        assertThat(door.policies).as("told only of its own").hasSize(2);
        assertThat(door.reasons)
                .containsExactly("session start: policy build", "policy files: policy build");
    }

    /// A session that wishes for what there is not never binds a door, and who waits is told.
    @Test
    void aSessionThatIsRefused_bindsNothing() throws Exception {
        LivePolicies live =
                open(
                        new PolicyFiles(
                                Optional.empty(),
                                Map.of(),
                                new Networking.Unrestricted(),
                                Set.of(Wish.POLICY)));
        SessionPolicy session = live.session("sesn_1");
        Told door = new Told();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<?> binding = threads.submit(() -> session.bind(door));
            session.wished(Json.object().put("glovebox.policy", "research"));
            assertThatThrownBy(binding::get).hasCauseInstanceOf(SessionPolicyException.class);
            SessionPolicy gone = live.session("sesn_2");
            Future<?> waiting = threads.submit(() -> gone.bind(door));
            gone.left();
            assertThatThrownBy(waiting::get).hasCauseInstanceOf(SessionPolicyException.class);
        }
        assertThat(session.refusal().orElseThrow()).contains("\"research\"");
        assertThat(door.policies).isEmpty();
    }

    /// However sessions come and go while files change, each door ends with the newest policy.
    @Test
    void doorsBoundWhileFilesChange_endWithTheNewest() throws Exception {
        Path file = Files.writeString(directory.resolve("p.yaml"), text("h0.test"));
        LivePolicies live = open(files(file));
        List<Told> doors = new CopyOnWriteArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int thread = 0; thread < 4; thread++) {
                threads.execute(() -> {
                    for (int i = 0; i < 200; i++) {
                        Told door = new Told();
                        doors.add(door);
                        live.session("sesn").bind(door);
                        LockSupport.parkNanos(2_000_000);
                    }
                });
            }
            for (int i = 1; i <= 3; i++) {
                Files.writeString(file, text("h" + i + ".test"));
                String host = "h" + i + ".test";
                await(PATIENCE, () -> live.book().standard().equals(policy(host)));
            }
        }
        await(
                PATIENCE,
                () -> doors.stream().allMatch(door -> door.now().equals(policy("h3.test"))));
        assertThat(doors).hasSize(800);
    }
}
