package dev.glovebox.egress;

import dev.glovebox.egress.ask.Questions;
import dev.glovebox.egress.dns.DnsStream;
import dev.glovebox.egress.dns.SyntheticNames;
import dev.glovebox.egress.entry.Entrance;
import dev.glovebox.egress.entry.Entry;
import dev.glovebox.egress.entry.Held;
import dev.glovebox.egress.entry.HttpProxy;
import dev.glovebox.egress.entry.SocksProxy;
import dev.glovebox.egress.http.Refusal;
import dev.glovebox.egress.wire.Allowance;
import dev.glovebox.egress.wire.Meter;
import dev.glovebox.egress.wire.Reset;
import dev.glovebox.egress.wire.Spending;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// The first and last handler of an accepted connection: finds its destination, asks the policy
/// once, and puts the handlers of the rule's protocol behind itself.
///
/// The address that a client dialled is its destination, unless it is the door's own: there the
/// door is a proxy, and the client says where it wants to go. From then on there is one way for
/// all. Nothing but a proxy request is read from a client before the policy has spoken.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class Gate extends ChannelInboundHandlerAdapter {
    private static final int DNS_PORT = 53;
    private static final String OWN =
            "it is the sandbox itself, which is reached without a proxy:"
                    + " NO_PROXY=localhost,127.0.0.1,::1";

    private final Door door;
    private final Meter meter = new Meter();

    Gate(Door door) {
        this.door = door;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        InetSocketAddress dialled = (InetSocketAddress) ctx.channel().localAddress();
        InetAddress address = withoutZone(dialled.getAddress());
        int port = dialled.getPort();
        ctx.pipeline().addFirst(meter);
        if (SyntheticNames.isDoor(address) && port == HttpProxy.PORT) {
            HttpProxy.install(ctx.pipeline(), new Asked(ctx));
        } else if (SyntheticNames.isDoor(address) && port == SocksProxy.PORT) {
            ctx.pipeline().addLast(new SocksProxy(ctx.channel(), new Asked(ctx)));
        } else if (asksForNames(address, port)) {
            answerNames(ctx);
        } else {
            ctx.pipeline().addLast(new Held());
            enter(ctx, new HostAddress(address), port, new Dialled(ctx));
        }
    }

    /// A name server that no rule speaks of is ours.
    private boolean asksForNames(InetAddress address, int port) {
        return port == DNS_PORT
                && door.names().nameOf(address).isEmpty()
                && !judge(door.terms(), new Destination(new HostAddress(address), port)).allowed();
    }

    /// The one way in, whichever way a client has told where it wants to go.
    private void enter(ChannelHandlerContext ctx, Host said, int port, Entry entry) {
        Destination destination = new Destination(meant(said), port);
        Terms terms = door.terms();
        Decision decision = judge(terms, destination);
        Optional<String> fault =
                decision.rule()
                        .filter(_ -> decision.allowed())
                        .flatMap(rule -> entry.fault(rule.protocol()));
        if (fault.isPresent()) {
            refuse(destination, denied(decision.rule(), fault.get()), entry);
            return;
        }
        if (decision.verdict() == Decision.Verdict.ASK) {
            ask(ctx, said, port, decision, entry);
            return;
        }
        if (!decision.allowed()) {
            refuse(destination, decision, entry);
            return;
        }
        EgressRule rule = decision.rule().orElseThrow();
        Flow flow =
                new Flow(door, ctx.channel(), destination, rule, terms.credentialOf(rule), terms);
        if (door.admit(flow, terms)) {
            door.ledger().connection(flow, meter, () -> begin(ctx, flow, entry));
        } else {
            enter(ctx, said, port, entry);
        }
    }

    /// An address that stands for a name means the name.
    private Host meant(Host said) {
        return said instanceof HostAddress(InetAddress address)
                ? door.names().nameOf(address).map(Host.class::cast).orElse(said)
                : said;
    }

    private static Decision judge(Terms terms, Destination destination) {
        return never(destination.host())
                .map(reason -> denied(Optional.empty(), reason))
                .orElseGet(() -> terms.policy().decide(destination));
    }

    /// Why the host is nowhere outside, whatever the policy says.
    private static Optional<String> never(Host host) {
        return switch (host) {
            case HostName name when name.equals(SyntheticNames.DOOR) ->
                    Optional.of("it is the door itself");
            case HostName name when name.isLocalhost() -> Optional.of(OWN);
            case HostName _ -> Optional.empty();
            case HostAddress address ->
                    switch (address.kind()) {
                        case LOOPBACK, UNSPECIFIED -> Optional.of(OWN);
                        case SYNTHETIC -> Optional.of("the address belongs to no name");
                        default -> Optional.empty();
                    };
        };
    }

    private static Decision denied(Optional<EgressRule> rule, String reason) {
        return new Decision(Decision.Verdict.DENY, rule, reason);
    }

    private void refuse(Destination destination, Decision decision, Entry entry) {
        door.deny(
                destination.host().text(),
                destination.port(),
                decision.ruleName(),
                decision.reason());
        entry.refused(destination, decision);
    }

    private void begin(ChannelHandlerContext ctx, Flow flow, Entry entry) {
        if (ctx.channel().isActive()) {
            entry.granted();
            open(ctx, flow);
        }
    }

    private void open(ChannelHandlerContext ctx, Flow flow) {
        if (!flow.rule().protocol().seesRequests() && !afford(ctx, flow)) {
            return;
        }
        long idle = door.limits().idle().toMillis();
        ChannelPipeline pipeline = ctx.pipeline();
        pipeline.addFirst(new IdleStateHandler(0, 0, idle, TimeUnit.MILLISECONDS));
        switch (flow.rule().protocol()) {
            case TCP -> pipeline.addLast(new TcpGate(flow));
            case TLS -> pipeline.addLast(TlsGate.passing(flow));
            case HTTP -> HttpGate.install(pipeline, flow);
            case HTTPS -> pipeline.addLast(TlsGate.ending(flow));
            case SSH, POSTGRES, REDIS -> {
                flow.credential()
                        .ifPresentOrElse(
                                each -> Login.begin(flow, each, pipeline),
                                () -> pipeline.addLast(new TcpGate(flow)));
            }
        }
    }

    /// Takes the bytes of a connection whose requests nobody sees out of its budgets.
    ///
    /// @return false if it is spent, and the connection refused
    private static boolean afford(ChannelHandlerContext ctx, Flow flow) {
        List<Allowance> allowances = flow.allowances();
        Optional<Allowance> spent = allowances.stream().filter(Allowance::spent).findFirst();
        if (spent.isPresent()) {
            flow.refuse(spent.get().refusal());
            return false;
        }
        if (!allowances.isEmpty()) {
            ctx.pipeline().addFirst(new Spending(allowances, (_, reason) -> flow.refuse(reason)));
        }
        return true;
    }

    /// Waits for the operator, unread, and is judged again when there is an answer.
    private void ask(
            ChannelHandlerContext ctx, Host said, int port, Decision decision, Entry entry) {
        Destination destination = new Destination(meant(said), port);
        EgressRule rule = decision.rule().orElseThrow();
        Questions questions = door.asking();
        Future<?> patience =
                ctx.executor()
                        .schedule(
                                () -> refuse(destination, unanswered(destination, rule), entry),
                                door.limits().answer().toMillis(),
                                TimeUnit.MILLISECONDS);
        Runnable decided =
                () ->
                        ctx.executor()
                                .execute(() -> {
                                    if (patience.cancel(false) && ctx.channel().isActive()) {
                                        enter(ctx, said, port, entry);
                                    }
                                });
        ctx.channel()
                .closeFuture()
                .addListener(_ -> {
                    patience.cancel(false);
                    questions.leave(destination, decided);
                });
        Questions.Outcome outcome = questions.ask(destination, rule.name(), decided);
        if (outcome == Questions.Outcome.ASKED) {
            door.asked(ctx.channel(), destination, rule);
        }
        Optional<String> refused =
                switch (outcome) {
                    case ASKED, WAITS -> Optional.empty();
                    case REFUSED -> Optional.of("the operator has refused it");
                    case FULL -> Optional.of("too many questions to the operator are open");
                };
        refused.ifPresent(reason -> {
            patience.cancel(false);
            refuse(destination, denied(Optional.of(rule), reason), entry);
        });
    }

    private Decision unanswered(Destination destination, EgressRule rule) {
        return denied(
                Optional.of(rule),
                "it waits for the operator, who can say `glovebox policy allow "
                        + door.name()
                        + " "
                        + destination
                        + "`; try again after that");
    }

    /// A client that has dialled its destination.
    private final class Dialled implements Entry {
        private final ChannelHandlerContext ctx;

        Dialled(ChannelHandlerContext ctx) {
            this.ctx = ctx;
        }

        @Override
        public void granted() {}

        @Override
        public void refused(Destination destination, Decision decision) {
            ChannelPipeline pipeline = ctx.pipeline();
            Refusal refusal = new Refusal(destination, decision, door.contact());
            switch (destination.port()) {
                case Refusal.HTTP_PORT -> refusal.install(pipeline, door.limits().headerBytes());
                case Refusal.HTTPS_PORT ->
                        pipeline.addLast(
                                TlsGate.refusing(ctx.channel(), door, destination, refusal));
                default -> {
                    Reset.send(ctx.channel());
                    return;
                }
            }
            ctx.executor()
                    .schedule(
                            () -> Reset.send(ctx.channel()),
                            2 * door.limits().firstBytes().toMillis(),
                            TimeUnit.MILLISECONDS);
        }
    }

    /// A client that tells the door, as its proxy, where it wants to go.
    private final class Asked implements Entrance {
        private final ChannelHandlerContext ctx;

        Asked(ChannelHandlerContext ctx) {
            this.ctx = ctx;
        }

        @Override
        public void enter(Host host, int port, Entry entry) {
            Gate.this.enter(ctx, host, port, entry);
        }

        @Override
        public void denied(String reason) {
            int port = ((InetSocketAddress) ctx.channel().localAddress()).getPort();
            door.deny(SyntheticNames.DOOR.text(), port, reason);
        }

        @Override
        public Duration patience() {
            return door.limits().firstBytes();
        }

        @Override
        public String contact() {
            return door.contact();
        }

        @Override
        public int headerBytes() {
            return door.limits().headerBytes();
        }

        @Override
        public void reset() {
            Reset.send(ctx.channel());
        }
    }

    private void answerNames(ChannelHandlerContext ctx) {
        ctx.pipeline()
                .addFirst(
                        new IdleStateHandler(
                                0, 0, door.limits().firstBytes().toMillis(), TimeUnit.MILLISECONDS))
                .addLast(DnsStream.framing(), new DnsStream(door.answers()));
        ctx.channel().config().setAutoRead(true);
    }

    /// A link-local address arrives with the interface it was dialled on, which means nothing here.
    private static InetAddress withoutZone(InetAddress address) {
        try {
            return InetAddress.getByAddress(address.getAddress());
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has four or sixteen bytes", e);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Reset.send(ctx.channel());
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof IdleStateEvent) {
            Reset.send(ctx.channel());
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }
}
