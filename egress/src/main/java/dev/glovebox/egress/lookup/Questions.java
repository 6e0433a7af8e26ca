package dev.glovebox.egress.lookup;

import dev.glovebox.protocol.egress.HostName;
import io.netty.channel.AddressedEnvelope;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverChannelStrategy;
import io.netty.resolver.dns.DnsNameResolverTimeoutException;
import io.netty.util.concurrent.Future;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// Single questions to single name servers, over UDP, and over TCP where the answer does not fit.
///
/// Of Netty's resolver this is the lowest level: an answer counts only if it comes from the server
/// that was asked, to the port that this question has for itself, with its number and its words.
/// What Netty would do on top is not used: it follows a referral to whatever servers the answer
/// names, which would let an answer choose whom the worker sends packets to, and it takes an answer
/// that was cut off if TCP brings none.
final class Questions implements AutoCloseable {
    /// UDP answers are 512 bytes at most, since no question says that it takes more (RFC 6891).
    private static final int DATAGRAM = 4096;

    private final EventLoop loop;
    private final DnsNameResolver netty;

    /// @param step longest wait for an answer, over each of UDP and TCP
    Questions(EventLoop loop, Duration step) {
        this.loop = loop;
        this.netty =
                new DnsNameResolverBuilder(loop)
                        .datagramChannelType(EpollDatagramChannel.class)
                        .datagramChannelStrategy(
                                DnsNameResolverChannelStrategy.ChannelPerResolution)
                        .socketChannelType(EpollSocketChannel.class)
                        .queryTimeoutMillis(step.toMillis())
                        .maxPayloadSize(DATAGRAM)
                        .optResourceEnabled(false)
                        .searchDomains(List.of())
                        .nameServerProvider(name -> {
                            throw new IllegalStateException("nobody is asked but by address");
                        })
                        .build();
    }

    /// Asks. The answer is [DnsAnswer.Broken] where none came; it never fails.
    CompletableFuture<DnsAnswer> ask(InetSocketAddress server, HostName name, DnsRecordType type) {
        CompletableFuture<DnsAnswer> answer = new CompletableFuture<>();
        try {
            loop.execute(() -> send(server, name, type, answer));
        } catch (RejectedExecutionException e) {
            answer.complete(new DnsAnswer.Broken("the worker is ending"));
        }
        return answer;
    }

    /// On the event loop, so that the socket belongs where the loop's other sockets do.
    @SuppressWarnings("FutureReturnValueIgnored") // the listener tells the answer
    private void send(
            InetSocketAddress server,
            HostName name,
            DnsRecordType type,
            CompletableFuture<DnsAnswer> answer) {
        Future<AddressedEnvelope<DnsResponse, InetSocketAddress>> sent;
        try {
            sent = netty.query(server, new DefaultDnsQuestion(name.text() + ".", type));
        } catch (RuntimeException e) {
            answer.complete(new DnsAnswer.Broken(why(e)));
            return;
        }
        sent.addListener(_ -> {
            if (sent.isSuccess()) {
                AddressedEnvelope<DnsResponse, InetSocketAddress> envelope = sent.getNow();
                try {
                    answer.complete(DnsAnswer.of(name, type, envelope.content()));
                } catch (RuntimeException e) {
                    answer.complete(new DnsAnswer.Broken("the answer cannot be read"));
                } finally {
                    envelope.release();
                }
            } else {
                answer.complete(new DnsAnswer.Broken(why(sent.cause())));
            }
        });
    }

    private static String why(@Nullable Throwable cause) {
        return cause instanceof DnsNameResolverTimeoutException
                ? "no name server answered in time"
                : "the name server could not be asked";
    }

    @Override
    public void close() {
        netty.close();
    }
}
