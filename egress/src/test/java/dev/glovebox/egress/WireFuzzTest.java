package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.dns.DnsAnswers;
import dev.glovebox.egress.dns.SyntheticNames;
import dev.glovebox.egress.http.HttpCodecs;
import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.egress.wire.ClientHello;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import dev.glovebox.protocol.egress.PolicyException;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// What a sandbox says first, broken at random from fixed seeds: every reader comes to an end, says
/// so in its own words, and holds no more than its limit.
class WireFuzzTest {
    private static final byte[] HELLO =
            HexFormat.of()
                    .parseHex(
                            "16030100460100004203035b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b"
                                    + "000002130101000017"
                                    + "0000000e000c0000"
                                    + "09676f6f642e74657374"
                                    + "0010000100");

    private static final Destination GOOD = new Destination(HostName.parse("good.test"), 80);

    private static final String POLICY =
            """
            rules:
              - {name: web, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:8080"}
              - name: packages
                host: "*.good.test"
                ports: [443, "8000-8010"]
                action: allow
              - {name: none, host: evil.test, action: deny}
            """;

    @Test
    void brokenClientHello_isReadAlikeHoweverItIsCut() {
        assertThat(ClientHello.read(Unpooled.wrappedBuffer(HELLO)))
                .isEqualTo(new ClientHello.Complete(Optional.of("good.test"), false));
        Broken.each(
                HELLO,
                bytes -> {
                    ClientHello whole = ClientHello.read(Unpooled.wrappedBuffer(bytes));
                    for (int length = 1; length <= bytes.length; length++) {
                        ClientHello soFar =
                                ClientHello.read(Unpooled.wrappedBuffer(bytes, 0, length));
                        if (!(soFar instanceof ClientHello.Incomplete)) {
                            assertThat(soFar).isEqualTo(whole);
                            return;
                        }
                    }
                    assertThat(whole).isInstanceOf(ClientHello.Incomplete.class);
                });
    }

    @Test
    void brokenQuestion_isAnsweredShortOrNotAtAll() {
        DnsAnswers answers =
                new DnsAnswers(
                        name -> name.equals(HostName.parse("good.test")),
                        new SyntheticNames(16),
                        _ -> {});
        byte[] question =
                HexFormat.of()
                        .parseHex(
                                "000701000001000000000000" + "04676f6f640474657374000001" + "0001");
        assertThat(answers.answer(question).orElseThrow()[3] & 0xf).isZero();
        Broken.each(
                question,
                bytes ->
                        answers.answer(bytes)
                                .ifPresent(answer -> {
                                    assertThat(answer.length).isLessThanOrEqualTo(512);
                                    assertThat(answer[2] & 0x80).isEqualTo(0x80);
                                    assertThat(Arrays.copyOf(answer, 2))
                                            .isEqualTo(Arrays.copyOf(bytes, 2));
                                }));
    }

    @Test
    void brokenRequest_isRefusedOrWholeAndLeavesNothing() {
        byte[] request =
                ("POST /a/b?c=d HTTP/1.1\r\nHost: good.test\r\nX-Long: "
                                + "a".repeat(40)
                                + "\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\nZ: a\r\n\r\n")
                        .getBytes(StandardCharsets.US_ASCII);
        Broken.each(
                request,
                bytes -> {
                    EmbeddedChannel channel =
                            new EmbeddedChannel(
                                    new HttpCodecs.RequestReader(HttpCodecs.config(1024)));
                    SplittableRandom cuts = new SplittableRandom(bytes.length);
                    for (int at = 0; at < bytes.length; ) {
                        int end = Math.min(bytes.length, at + cuts.nextInt(1, 40));
                        channel.writeInbound(Unpooled.copiedBuffer(bytes, at, end - at));
                        at = end;
                    }
                    channel.finish();
                    Object message;
                    while ((message = channel.readInbound()) != null) {
                        if (message instanceof HttpRequest head) {
                            judged(head);
                        }
                        ReferenceCountUtil.release(message);
                    }
                });
    }

    /// A head without fault is for the one host, by one path, and of the version it says.
    private static void judged(HttpRequest head) {
        if (HttpMessages.fault(head, GOOD, false).isEmpty()) {
            assertThat(head.uri()).startsWith("/").matches("[!-~]+");
            assertThat(head.method().name()).matches("[A-Z][A-Z0-9_-]*");
            assertThat(head.headers().getAll("Host").size())
                    .isBetween(HttpMessages.isOld(head) ? 0 : 1, 1);
        }
    }

    @Test
    void brokenPolicy_isRefusedOrAllowsNothingNew() {
        HostAddress canary = new HostAddress(InetAddress.ofLiteral("203.0.113.66"));
        Destination elsewhere = new Destination(canary, 22);
        assertThat(EgressPolicy.parse(POLICY).decide(GOOD).verdict())
                .isEqualTo(Decision.Verdict.ALLOW);
        Broken.each(
                POLICY.getBytes(StandardCharsets.US_ASCII),
                bytes -> {
                    try {
                        EgressPolicy policy =
                                EgressPolicy.parse(new String(bytes, StandardCharsets.ISO_8859_1));
                        assertThat(policy.decide(elsewhere).allowed()).isFalse();
                    } catch (PolicyException e) {
                        assertThat(e.getMessage()).isNotEmpty();
                    }
                });
    }

    @Test
    void policyThatWouldGrow_isRefused() {
        String laughs =
                """
                a: &a [x,x,x,x,x,x,x,x,x]
                b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]
                d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]
                rules: *d
                """;
        for (String text :
                List.of(
                        laughs,
                        "rules: " + "[".repeat(100_000),
                        "rules: " + "{a: ".repeat(50_000),
                        "- ".repeat(100_000),
                        "rules: &r [*r]",
                        "rules: [{name: a, host: a.test, action: allow}]\nrules: []")) {
            assertThatThrownBy(() -> EgressPolicy.parse(text))
                    .as(text.substring(0, Math.min(40, text.length())))
                    .isInstanceOf(PolicyException.class);
        }
    }
}
