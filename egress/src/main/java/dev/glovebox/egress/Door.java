package dev.glovebox.egress;

import dev.glovebox.egress.ask.Question;
import dev.glovebox.egress.ask.Questions;
import dev.glovebox.egress.dns.DnsAnswers;
import dev.glovebox.egress.dns.DnsDatagrams;
import dev.glovebox.egress.dns.SyntheticNames;
import dev.glovebox.egress.http.Upstreams;
import dev.glovebox.egress.onward.Dialler;
import dev.glovebox.egress.onward.Failure;
import dev.glovebox.egress.postgres.BackendKeys;
import dev.glovebox.egress.tls.DoorTrust;
import dev.glovebox.egress.tls.TrustFiles;
import dev.glovebox.linux.net.CatchAll;
import dev.glovebox.linux.net.NetworkNamespace;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.HostName;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// The one way out of one sandbox.
///
/// A sandbox is put into the door's network namespace; whatever it connects to arrives here and is
/// judged by the door's policy, which can be exchanged while it is open. Who asks is known by the
/// listener a connection arrived on and by nothing else. Closing cuts every connection and leaves
/// nothing on the host. Thread-safe.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Door implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Door.class.getName());
    private static final long CLOSE_MILLIS = 5_000;
    private static final int QUESTIONS = 64;
    private static final int DNS_PORT = 53;
    private static final int HTTPS_PORT = 443;

    private final String name;
    private final DoorLimits limits;
    private final String contact;
    private final NetworkNamespace namespace;
    private final Dialler dialler;
    private final DoorTrust trust;
    private final Ledger ledger;
    private final Runnable closed;
    private final SyntheticNames names;
    private final DnsAnswers answers;
    private final DenialLog denials;
    private final ChannelGroup channels =
            new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    private final AtomicInteger connections = new AtomicInteger();
    private final Set<Flow> flows = ConcurrentHashMap.newKeySet();
    private final Semaphore upstreamRoom;
    private final Map<EventLoop, Upstreams> upstreams = new ConcurrentHashMap<>();
    private final BackendKeys backendKeys = new BackendKeys();
    private final Questions questions = new Questions(QUESTIONS, InstantSource.system());
    private EgressPolicy operators;
    private boolean gone;
    private volatile Terms terms;

    /// @param closed is told once that this door is gone
    Door(
            String name,
            Terms terms,
            EgressConfig config,
            NetworkNamespace namespace,
            Dialler dialler,
            DoorTrust trust,
            Ledger ledger,
            Runnable closed) {
        this.name = name;
        this.operators = terms.policy();
        this.terms = terms;
        this.limits = config.limits();
        this.contact = config.contact();
        this.namespace = namespace;
        this.dialler = dialler;
        this.trust = trust;
        this.upstreamRoom = new Semaphore(limits.connections());
        this.ledger = ledger;
        this.closed = closed;
        this.names = new SyntheticNames(limits.names());
        this.denials = new DenialLog(limits.denials(), InstantSource.system());
        trust.vouchOverSsh(terms.sshHosts());
        this.answers =
                new DnsAnswers(asked -> terms().policy().knows(asked), names, this::denyName);
    }

    /// Begins to accept.
    void listen(EventLoopGroup loops) {
        CatchAll sockets = namespace.sockets();
        List<ChannelFuture> begun = new ArrayList<>();
        for (int fd : sockets.dns()) {
            EpollDatagramChannel channel = new EpollDatagramChannel(fd);
            channel.pipeline().addLast(new DnsDatagrams(answers));
            track(channel);
            begun.add(loops.register(channel));
        }
        for (int fd : sockets.tcp()) {
            EpollServerSocketChannel channel = new EpollServerSocketChannel(fd);
            channel.pipeline().addLast(new Acceptor(this, loops));
            track(channel);
            begun.add(loops.register(channel));
        }
        begun.forEach(ChannelFuture::syncUninterruptibly);
    }

    /// What the sandbox is called that this door belongs to.
    public String name() {
        return name;
    }

    /// The namespace to put the sandbox into, a path that an OCI runtime or `nsenter --net=` joins.
    public Path networkNamespace() {
        return namespace.path();
    }

    /// Says whom the sandbox serves from now on, for the audit records.
    public void session(String id) {
        ledger.session(id);
    }

    /// Says which tool call runs from now on, for the audit records; empty: none.
    public void call(Optional<String> id) {
        ledger.call(id);
    }

    /// What was refused at `start` or later, oldest first; only the last few hundred are
    /// remembered.
    public List<Denial> denialsSince(Instant start) {
        return denials.since(start);
    }

    /// Judges by another policy from now on; the sandbox notices nothing else.
    ///
    /// A connection that the new policy allows by an equal rule with an equal credential stays.
    /// Every other one is reset before this returns. An address that a name was given goes on
    /// meaning that name, and is judged when it is connected to.
    ///
    /// What the operator has approved stays so where a rule of the new policy asks for it.
    ///
    /// @param by who wants that, for the audit record
    /// @throws EgressException if a credential cannot be read; nothing has changed then
    public synchronized void policy(EgressPolicy policy, String by) {
        judgeBy(policy, () -> ledger.policy(policy, by));
        operators = policy;
    }

    /// @param checked is run when nothing can fail any more, and nothing has changed yet
    private void judgeBy(EgressPolicy policy, Runnable checked) {
        if (gone) {
            throw new EgressException("door \"" + name + "\" is closed");
        }
        Terms next = terms.with(policy.approving(questions.approved()));
        trust.vouchOverSsh(next.sshHosts());
        checked.run();
        terms = next;
        List<ChannelFuture> cut = new ArrayList<>();
        for (Flow flow : flows) {
            if (!next.keep(flow)) {
                flow.refuse("the policy has changed");
                cut.add(flow.client().closeFuture());
            }
        }
        cut.forEach(end -> end.awaitUninterruptibly(CLOSE_MILLIS));
        upstreams.forEach((loop, each) -> loop.execute(each::drain));
    }

    /// Judges by another policy from now on, for the worker's own reasons.
    ///
    /// @throws EgressException if a credential cannot be read; nothing has changed then
    public void policy(EgressPolicy policy) {
        policy(policy, "worker");
    }

    /// What the sandbox has asked the operator and nobody has answered, oldest first.
    public List<Question> questions() {
        return questions.open();
    }

    /// Answers for the operator. A connection that waits for it goes on or is refused; when the
    /// time is over connections that were allowed are cut.
    ///
    /// @param by who answers, for the audit record
    /// @return false if nobody has asked for this destination
    /// @throws EgressException if the time is not 1 second to 31 days
    public synchronized boolean answer(
            Destination destination, boolean allowed, Duration time, String by) {
        if (time.compareTo(Duration.ofSeconds(1)) < 0 || time.compareTo(Duration.ofDays(31)) > 0) {
            throw new EgressException("an answer holds 1 s to 31 days: " + time);
        }
        Questions.Answer answer = new Questions.Answer(allowed, Instant.now().plus(time));
        Optional<List<Runnable>> waiting = questions.answer(destination, answer);
        if (waiting.isEmpty()) {
            return false;
        }
        String rule = operators.decide(destination).ruleName();
        ledger.answered(destination, rule, answer, by);
        judgeBy(operators, () -> {});
        waiting.get().forEach(Runnable::run);
        if (allowed) {
            GlobalEventExecutor.INSTANCE.schedule(
                    () -> Thread.ofVirtual().name("egress-expiry").start(this::expire),
                    time.toMillis(),
                    TimeUnit.MILLISECONDS);
        }
        return true;
    }

    private synchronized void expire() {
        if (!gone) {
            judgeBy(operators, () -> {});
        }
    }

    /// A sandbox wants to reach what the rule leaves to the operator.
    void asked(Channel client, Destination destination, EgressRule rule) {
        LOG.log(
                System.Logger.Level.INFO,
                "{0} asks for {1}, rule {2}: glovebox policy allow {0} {1}",
                name,
                destination,
                rule.name());
        ledger.asked(client, destination, rule);
    }

    Questions asking() {
        return questions;
    }

    Ledger ledger() {
        return ledger;
    }

    NetworkNamespace namespace() {
        return namespace;
    }

    Terms terms() {
        return terms;
    }

    /// Whom a refused program is told to ask.
    String contact() {
        return contact;
    }

    DoorLimits limits() {
        return limits;
    }

    SyntheticNames names() {
        return names;
    }

    /// The files by which programs inside come to believe this door, to be shown to them.
    public TrustFiles trustFiles() {
        return trust.files();
    }

    DoorTrust trust() {
        return trust;
    }

    /// Connections to HTTP servers on an event loop.
    Upstreams upstreams(EventLoop loop) {
        return upstreams.computeIfAbsent(
                loop,
                _ ->
                        new Upstreams(
                                loop,
                                trust.roots(),
                                upstreamRoom,
                                limits.connections() / 2,
                                limits.headerBytes(),
                                limits.connect()));
    }

    /// Sessions of PostgreSQL that may be cancelled from inside.
    BackendKeys backendKeys() {
        return backendKeys;
    }

    DnsAnswers answers() {
        return answers;
    }

    Dialler dialler() {
        return dialler;
    }

    /// Takes a connection that was allowed under these terms.
    ///
    /// @return false if they are no longer those of the door, so that it must be judged again
    boolean admit(Flow flow, Terms judgedBy) {
        flows.add(flow);
        flow.client().closeFuture().addListener(_ -> flows.remove(flow));
        if (terms.equals(judgedBy)) {
            return true;
        }
        flows.remove(flow);
        return false;
    }

    void deny(String destination, int port, String reason) {
        deny(destination, port, "-", reason);
    }

    /// @param rule that refused it, or `-`
    void deny(String destination, int port, String rule, String reason) {
        denials.add(destination, port, reason);
        ledger.refused(destination, port, rule, reason);
    }

    /// Remembers that nothing came of an allowed connection: what the sandbox may know, and what
    /// the operator does.
    void failed(Destination to, EgressRule rule, Failure failure) {
        denials.add(to.host().text(), to.port(), failure.told());
        ledger.refused(to.host().text(), to.port(), rule.name(), failure.detail());
    }

    /// @param path canonical if it was understood, without query
    void deny(Flow flow, String method, String path, String reason) {
        Destination to = flow.destination();
        denials.add(to.host().text(), to.port(), reason);
        ledger.refused(flow, method, path, reason);
    }

    /// Which rule denies a name is told by its most likely port.
    private void denyName(String asked) {
        Optional<Decision> ruled =
                HostName.tryParse(asked)
                        .map(name -> terms.policy().decide(new Destination(name, HTTPS_PORT)))
                        .filter(decision -> !decision.allowed() && decision.rule().isPresent());
        if (!asked.endsWith(".arpa")) {
            String reason = ruled.map(Decision::reason).orElse("no rule allows the name");
            denials.add(asked, 0, reason);
            ledger.refused(asked, DNS_PORT, ruled.map(Decision::ruleName).orElse("-"), reason);
        }
    }

    /// Makes the channel end with the door; a channel that comes too late ends now.
    void track(Channel channel) {
        channels.add(channel);
    }

    /// Cuts every connection, stops listening and gives up the namespace. Idempotent.
    @Override
    public synchronized void close() {
        gone = true;
        channels.close().awaitUninterruptibly(CLOSE_MILLIS);
        namespace.close();
        trust.close();
        closed.run();
    }

    /// Room for one more connection; whoever gets it gives it back with [#leave].
    boolean enter() {
        if (connections.incrementAndGet() <= limits.connections()) {
            return true;
        }
        connections.decrementAndGet();
        deny("*", 0, "more than " + limits.connections() + " connections at a time");
        return false;
    }

    void leave() {
        connections.decrementAndGet();
    }
}
