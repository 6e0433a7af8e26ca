package dev.glovebox.egress;

import dev.glovebox.egress.ask.Questions;
import dev.glovebox.egress.dns.DnsStream;
import dev.glovebox.egress.dns.SyntheticNames;
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
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// The first and last handler of an accepted connection: turns the address the client dialled into
/// a destination, asks the policy once, and puts the handlers of the rule's protocol behind itself.
///
/// Nothing is read from the client before the policy has spoken.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class Gate extends ChannelInboundHandlerAdapter {
    private static final int DNS_PORT = 53;

    private final Door door;

    Gate(Door door) {
        this.door = door;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        InetSocketAddress dialled = (InetSocketAddress) ctx.channel().localAddress();
        InetAddress address = withoutZone(dialled.getAddress());
        Optional<HostName> name = door.names().nameOf(address);
        Host host = name.map(Host.class::cast).orElse(new HostAddress(address));
        Destination destination = new Destination(host, dialled.getPort());
        Terms terms = door.terms();
        Decision decision = judge(terms, destination, address, name.isPresent());
        if (!decision.allowed() && dialled.getPort() == DNS_PORT && name.isEmpty()) {
            answerNames(ctx);
            return;
        }
        if (decision.verdict() == Decision.Verdict.ASK) {
            ask(ctx, destination, decision);
            return;
        }
        if (!decision.allowed()) {
            refuse(ctx, destination, decision);
            return;
        }
        EgressRule rule = decision.rule().orElseThrow();
        Flow flow =
                new Flow(door, ctx.channel(), destination, rule, terms.credentialOf(rule), terms);
        if (door.admit(flow, terms)) {
            Meter meter = new Meter();
            ctx.pipeline().addFirst(meter);
            door.ledger().connection(flow, meter, () -> begin(ctx, flow));
        } else {
            channelActive(ctx);
        }
    }

    private static Decision judge(
            Terms terms, Destination destination, InetAddress dialled, boolean named) {
        return !named && SyntheticNames.isSynthetic(dialled)
                ? new Decision(
                        Decision.Verdict.DENY, Optional.empty(), "the address belongs to no name")
                : terms.policy().decide(destination);
    }

    private void begin(ChannelHandlerContext ctx, Flow flow) {
        if (ctx.channel().isActive()) {
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
    private void ask(ChannelHandlerContext ctx, Destination destination, Decision decision) {
        EgressRule rule = decision.rule().orElseThrow();
        Questions questions = door.asking();
        Future<?> patience =
                ctx.executor()
                        .schedule(
                                () -> refuse(ctx, destination, unanswered(destination, rule)),
                                door.limits().answer().toMillis(),
                                TimeUnit.MILLISECONDS);
        Runnable decided =
                () ->
                        ctx.executor()
                                .execute(() -> {
                                    if (patience.cancel(false) && ctx.channel().isActive()) {
                                        channelActive(ctx);
                                    }
                                });
        ctx.channel()
                .closeFuture()
                .addListener(_ -> {
                    patience.cancel(false);
                    questions.leave(destination, decided);
                });
        switch (questions.ask(destination, rule.name(), decided)) {
            case ASKED -> door.ledger().asked(ctx.channel(), destination, rule);
            case WAITS -> {}
            case REFUSED -> {
                patience.cancel(false);
                refuse(ctx, destination, by(rule, "the operator has refused it"));
            }
            case FULL -> {
                patience.cancel(false);
                refuse(ctx, destination, by(rule, "too many questions to the operator are open"));
            }
        }
    }

    private Decision unanswered(Destination destination, EgressRule rule) {
        return by(
                rule,
                "it waits for the operator, who can say `glovebox egress allow "
                        + door.name()
                        + " "
                        + destination
                        + "`; try again after that");
    }

    private static Decision by(EgressRule rule, String reason) {
        return new Decision(Decision.Verdict.DENY, Optional.of(rule), reason);
    }

    private void refuse(ChannelHandlerContext ctx, Destination destination, Decision decision) {
        door.deny(
                destination.host().text(),
                destination.port(),
                decision.ruleName(),
                decision.reason());
        ChannelPipeline pipeline = ctx.pipeline();
        Refusal refusal = new Refusal(destination, decision);
        switch (destination.port()) {
            case Refusal.HTTP_PORT -> refusal.install(pipeline, door.limits().headerBytes());
            case Refusal.HTTPS_PORT ->
                    pipeline.addLast(TlsGate.refusing(ctx.channel(), door, destination, refusal));
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
