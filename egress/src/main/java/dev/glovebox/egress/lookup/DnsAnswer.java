package dev.glovebox.egress.lookup;

import dev.glovebox.protocol.egress.HostName;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.dns.DefaultDnsRecordDecoder;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.handler.codec.dns.DnsResponse;
import io.netty.handler.codec.dns.DnsResponseCode;
import io.netty.handler.codec.dns.DnsSection;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What a name server said to one question for addresses of one family.
///
/// Only the answer section counts, and of it only what belongs to the name that was asked for, or
/// to an alias that leads there from it. Which name an address was found under says nothing about
/// whether it may be dialled: each is judged by itself.
sealed interface DnsAnswer {
    /// Aliases that are followed.
    int MAX_ALIASES = 8;

    /// Addresses that are taken; of the rest nobody hears.
    int MAX_ADDRESSES = 16;

    /// The name has these.
    ///
    /// @param addresses at least one, in the order of the answer
    /// @param ttl how long they are good
    record Addresses(List<InetAddress> addresses, Duration ttl) implements DnsAnswer {
        public Addresses {
            addresses = List.copyOf(addresses);
        }
    }

    /// The name has none of this family.
    ///
    /// @param exists whether the name may have others
    record Nothing(boolean exists) implements DnsAnswer {}

    /// The server did not say.
    ///
    /// @param why for operators
    record Broken(String why) implements DnsAnswer {}

    /// Reads the answer to the question for the name.
    static DnsAnswer of(HostName asked, DnsRecordType type, DnsResponse response) {
        if (response.isTruncated()) {
            return new Broken("the answer was cut off and could not be had whole over TCP");
        }
        if (response.code().equals(DnsResponseCode.NXDOMAIN)) {
            return new Nothing(false);
        }
        if (!response.code().equals(DnsResponseCode.NOERROR)) {
            return new Broken("the name server answered " + response.code());
        }
        Map<String, Alias> aliases = aliases(response);
        String name = asked.text() + ".";
        long ttl = Long.MAX_VALUE;
        for (int hops = 0; aliases.containsKey(name); hops++) {
            if (hops == MAX_ALIASES) {
                return new Broken("it has more than " + MAX_ALIASES + " aliases");
            }
            Alias alias = aliases.get(name);
            ttl = Math.min(ttl, alias.ttl());
            name = alias.target();
        }
        return addresses(name, type, response, ttl);
    }

    /// A record `CNAME`.
    ///
    /// @param target what the name stands for
    /// @param ttl in seconds
    record Alias(String target, long ttl) {}

    private static Map<String, Alias> aliases(DnsResponse response) {
        Map<String, Alias> aliases = new HashMap<>();
        for (int i = 0; i < response.count(DnsSection.ANSWER); i++) {
            DnsRecord record = response.recordAt(DnsSection.ANSWER, i);
            if (record.type().equals(DnsRecordType.CNAME) && record instanceof DnsRawRecord raw) {
                String target = DefaultDnsRecordDecoder.decodeName(raw.content().duplicate());
                aliases.putIfAbsent(
                        canonical(record.name()),
                        new Alias(canonical(target), record.timeToLive()));
            }
        }
        return aliases;
    }

    private static DnsAnswer addresses(
            String owner, DnsRecordType type, DnsResponse response, long ttl) {
        List<InetAddress> found = new ArrayList<>();
        for (int i = 0;
                i < response.count(DnsSection.ANSWER) && found.size() < MAX_ADDRESSES;
                i++) {
            DnsRecord record = response.recordAt(DnsSection.ANSWER, i);
            if (record.type().equals(type)
                    && record.dnsClass() == DnsRecord.CLASS_IN
                    && canonical(record.name()).equals(owner)
                    && record instanceof DnsRawRecord raw
                    && raw.content().readableBytes() == (type.equals(DnsRecordType.A) ? 4 : 16)) {
                found.add(address(raw.content()));
                ttl = Math.min(ttl, record.timeToLive());
            }
        }
        return found.isEmpty()
                ? new Nothing(true)
                : new Addresses(found, Duration.ofSeconds(Math.max(0, ttl)));
    }

    private static InetAddress address(ByteBuf content) {
        byte[] bytes = new byte[content.readableBytes()];
        content.getBytes(content.readerIndex(), bytes);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an address has four or sixteen bytes", e);
        }
    }

    private static String canonical(String name) {
        return name.toLowerCase(Locale.ROOT);
    }
}
