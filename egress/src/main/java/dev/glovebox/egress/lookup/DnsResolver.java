package dev.glovebox.egress.lookup;

import dev.glovebox.protocol.egress.HostName;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.dns.DnsRecordType;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// The worker's own lookups: the host's file of names, then the name servers, one after the other.
/// Thread-safe.
///
/// A name is absolute: no search domain is ever added. Both families are asked for at once; where
/// one has addresses, the other is waited for a moment only. A server that fails, says nothing or
/// says what cannot be read is left for the next, in two rounds at most and until the deadline;
/// then the lookup has failed, and nobody else is asked. Who asks for a name that is being looked
/// up shares the answer.
///
/// Nothing here decides what may be dialled: whoever asked judges each address, and dials the very
/// address that it judged.
public final class DnsResolver implements Resolver, AutoCloseable {
    private static final int ROUNDS = 2;

    /// How much longer than the first the second family may take (RFC 8305 §3, and generous).
    private static final Duration OTHER_FAMILY = Duration.ofMillis(250);

    private final NameServers servers;
    private final HostsFile hosts;
    private final LookupLimits limits;
    private final KnownNames known;
    private final Questions questions;
    private final Map<HostName, CompletableFuture<List<InetAddress>>> underWay =
            new ConcurrentHashMap<>();

    /// @param loop on which questions are sent
    public DnsResolver(LookupConfig config, EventLoop loop, InstantSource clock) {
        this.servers = new NameServers(config.nameServers(), config.resolvConf());
        this.hosts = new HostsFile(config.hosts());
        this.limits = config.limits();
        this.known = new KnownNames(limits, clock);
        this.questions = new Questions(loop, limits.step());
    }

    @Override
    public List<InetAddress> resolve(HostName name) throws IOException {
        List<InetAddress> written = hosts.addressesOf(name);
        if (!written.isEmpty()) {
            return written;
        }
        Optional<List<InetAddress>> remembered = known.of(name);
        return some(name, remembered.isPresent() ? remembered.get() : lookUp(name));
    }

    private static List<InetAddress> some(HostName name, List<InetAddress> addresses)
            throws UnknownHostException {
        if (addresses.isEmpty()) {
            throw new UnknownHostException(name.text());
        }
        return addresses;
    }

    private List<InetAddress> lookUp(HostName name) throws IOException {
        CompletableFuture<List<InetAddress>> mine = new CompletableFuture<>();
        CompletableFuture<List<InetAddress>> other = underWay.putIfAbsent(name, mine);
        if (other != null) {
            return shared(other);
        }
        try {
            List<InetAddress> found = askServers(name);
            mine.complete(found);
            return found;
        } catch (IOException | RuntimeException e) {
            mine.completeExceptionally(e);
            throw e;
        } finally {
            underWay.remove(name, mine);
        }
    }

    private List<InetAddress> shared(CompletableFuture<List<InetAddress>> other)
            throws IOException {
        try {
            return other.get(limits.deadline().toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException known
                    ? new IOException(known.getMessage(), known)
                    : new IOException("the lookup failed", e);
        } catch (TimeoutException e) {
            throw new IOException("no name server answered in time", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private List<InetAddress> askServers(HostName name) throws IOException {
        long end = System.nanoTime() + limits.deadline().toNanos();
        List<InetSocketAddress> order = servers.now();
        DnsAnswer four = new DnsAnswer.Broken("no name server was asked");
        DnsAnswer six = four;
        for (int i = 0; i < ROUNDS * order.size() && System.nanoTime() < end; i++) {
            InetSocketAddress server = order.get(i % order.size());
            CompletableFuture<DnsAnswer> askedFour = askFor(four, server, name, DnsRecordType.A);
            CompletableFuture<DnsAnswer> askedSix = askFor(six, server, name, DnsRecordType.AAAA);
            await(askedFour, askedSix, end);
            four = said(askedFour);
            six = said(askedSix);
            Optional<List<InetAddress>> all = settled(name, four, six);
            if (all.isPresent()) {
                return all.get();
            }
        }
        throw new IOException(
                four instanceof DnsAnswer.Broken(String why)
                        ? why
                        : six instanceof DnsAnswer.Broken(String why) ? why : "no answer");
    }

    private CompletableFuture<DnsAnswer> askFor(
            DnsAnswer before, InetSocketAddress server, HostName name, DnsRecordType type) {
        return before instanceof DnsAnswer.Broken
                ? questions.ask(server, name, type)
                : CompletableFuture.completedFuture(before);
    }

    private static DnsAnswer said(CompletableFuture<DnsAnswer> asked) {
        return asked.getNow(new DnsAnswer.Broken("no name server answered in time"));
    }

    /// Waits until both have an answer, or one has addresses and the other has had its moment.
    private static void await(
            CompletableFuture<DnsAnswer> four, CompletableFuture<DnsAnswer> six, long end)
            throws IOException {
        CompletableFuture<?> both = CompletableFuture.allOf(four, six);
        CompletableFuture<?> either = CompletableFuture.anyOf(addressesIn(four), addressesIn(six));
        if (done(CompletableFuture.anyOf(both, either), Math.max(0, end - System.nanoTime()))) {
            done(both, Math.min(OTHER_FAMILY.toNanos(), Math.max(0, end - System.nanoTime())));
        }
    }

    /// Completes when the answer is there and has addresses; never otherwise.
    private static CompletableFuture<DnsAnswer> addressesIn(CompletableFuture<DnsAnswer> asked) {
        return asked.thenCompose(answer ->
                answer instanceof DnsAnswer.Addresses
                        ? CompletableFuture.completedFuture(answer)
                        : new CompletableFuture<>());
    }

    private static boolean done(CompletableFuture<?> future, long nanos) throws IOException {
        try {
            future.get(nanos, TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IOException("the lookup failed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /// What the two families say together, if that is enough; remembers it.
    private Optional<List<InetAddress>> settled(HostName name, DnsAnswer four, DnsAnswer six) {
        if (four instanceof DnsAnswer.Addresses || six instanceof DnsAnswer.Addresses) {
            List<InetAddress> all = interleaved(addresses(four), addresses(six));
            Duration ttl = ttl(four).compareTo(ttl(six)) < 0 ? ttl(four) : ttl(six);
            known.put(name, all, ttl);
            return Optional.of(all);
        }
        boolean absent =
                four instanceof DnsAnswer.Nothing(boolean fourExists)
                        && (!fourExists || six instanceof DnsAnswer.Nothing);
        if (absent || (six instanceof DnsAnswer.Nothing(boolean exists) && !exists)) {
            known.put(name, List.of(), limits.absent());
            return Optional.of(List.of());
        }
        return Optional.empty();
    }

    private static List<InetAddress> addresses(DnsAnswer answer) {
        return answer instanceof DnsAnswer.Addresses(List<InetAddress> addresses, _)
                ? addresses
                : List.of();
    }

    private Duration ttl(DnsAnswer answer) {
        return answer instanceof DnsAnswer.Addresses(_, Duration ttl) ? ttl : limits.longest();
    }

    /// IPv4 first, then in turns, so that a family that leads nowhere costs one attempt.
    private static List<InetAddress> interleaved(List<InetAddress> four, List<InetAddress> six) {
        List<InetAddress> all = new ArrayList<>();
        for (int i = 0; i < Math.max(four.size(), six.size()); i++) {
            if (i < four.size()) {
                all.add(four.get(i));
            }
            if (i < six.size()) {
                all.add(six.get(i));
            }
        }
        return all;
    }

    @Override
    public void close() {
        questions.close();
    }
}
