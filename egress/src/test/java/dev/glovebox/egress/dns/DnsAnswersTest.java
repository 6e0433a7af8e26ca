package dev.glovebox.egress.dns;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.HostName;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DnsAnswersTest {
    private static final int A = 1;
    private static final int AAAA = 28;

    private final List<String> refused = new ArrayList<>();
    private final SyntheticNames names = new SyntheticNames(2);
    private final DnsAnswers answers =
            new DnsAnswers(name -> name.text().endsWith("good.test"), names, refused::add);

    static byte[] query(String name, int type) {
        ByteBuffer out = ByteBuffer.allocate(512);
        out.putShort((short) 0x1234).putShort((short) 0x0100).putShort((short) 1);
        out.putShort((short) 0).putInt(0);
        for (String label : name.split("\\.", -1)) {
            byte[] bytes = label.getBytes(StandardCharsets.ISO_8859_1);
            out.put((byte) bytes.length).put(bytes);
        }
        out.put((byte) 0).putShort((short) type).putShort((short) 1);
        return Arrays.copyOf(out.array(), out.position());
    }

    private byte[] answer(String name, int type) {
        return answers.answer(query(name, type)).orElseThrow();
    }

    private static int code(byte[] answer) {
        return answer[3] & 0xf;
    }

    private static int records(byte[] answer) {
        return ByteBuffer.wrap(answer).getShort(6);
    }

    @Test
    void allowedName_hasOneStableSyntheticAddressOfEachFamily() throws Exception {
        byte[] first = answer("good.test", A);
        assertThat(code(first)).isZero();
        assertThat(records(first)).isEqualTo(1);
        InetAddress four =
                InetAddress.getByAddress(Arrays.copyOfRange(first, first.length - 4, first.length));
        assertThat(SyntheticNames.isSynthetic(four)).isTrue();
        assertThat(names.nameOf(four)).contains(HostName.parse("good.test"));
        assertThat(answer("GOOD.test", A)).endsWith(four.getAddress());

        byte[] six = answer("good.test", AAAA);
        InetAddress address =
                InetAddress.getByAddress(Arrays.copyOfRange(six, six.length - 16, six.length));
        assertThat(names.nameOf(address)).contains(HostName.parse("good.test"));
        assertThat(refused).isEmpty();
    }

    @Test
    void nameOfTheDoor_isAnsweredThoughNoRuleKnowsIt() {
        assertThat(answer("proxy.glovebox.internal", A)).endsWith(198, 18, 0, 1);
        byte[] six = answer("Proxy.Glovebox.Internal", AAAA);
        assertThat(records(six)).isEqualTo(1);
        assertThat(six).endsWith(InetAddress.ofLiteral("fd67:6c62::1").getAddress());
        assertThat(names.nameOf(InetAddress.ofLiteral("198.18.0.1"))).isEmpty();
        assertThat(code(answer("glovebox.internal", A))).isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 5, 6, 10, 12, 15, 16, 33, 35, 64, 65, 99, 252, 255, 257, 0xffff})
    void allowedName_hasNoRecordOfAnyOtherType(int type) {
        byte[] answer = answer("good.test", type);
        assertThat(code(answer)).isZero();
        assertThat(records(answer)).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 28, 2, 5, 10, 12, 15, 16, 33, 64, 65, 255})
    void otherName_isRefusedWhateverTheType(int type) {
        byte[] answer = answer("c2VjcmV0.evil.test", type);
        assertThat(code(answer)).isEqualTo(5);
        assertThat(records(answer)).isZero();
        assertThat(refused).containsExactly("c2VjcmV0.evil.test");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "good.test\0.evil",
                "a_b.good.test",
                "-.good.test",
                "x y.good.test",
                "ä.good.test"
            })
    void nameThatIsNoHostName_isRefused(String name) {
        assertThat(code(answer(name, A))).isEqualTo(5);
    }

    @Test
    void dotInsideALabel_doesNotMakeTwoLabels() {
        byte[] query = query("good?test", A);
        query[12 + 1 + 4] = '.';
        assertThat(code(answers.answer(query).orElseThrow())).isEqualTo(5);
    }

    @Test
    void namesBeyondTheBudget_areRefused() {
        assertThat(code(answer("a.good.test", A))).isZero();
        assertThat(code(answer("b.good.test", A))).isZero();
        assertThat(code(answer("c.good.test", A))).isEqualTo(5);
        assertThat(code(answer("a.good.test", AAAA))).isZero();
    }

    @Test
    void messageThatIsNotOnePlainQuestion_isRefusedInItsOwnWay() {
        assertThat(answers.answer(new byte[11])).isEmpty();
        byte[] response = query("good.test", A);
        response[2] |= (byte) 0x80;
        assertThat(answers.answer(response)).isEmpty();
        byte[] update = query("good.test", A);
        update[2] |= 0x28;
        assertThat(code(answers.answer(update).orElseThrow())).isEqualTo(4);
        byte[] two = query("good.test", A);
        two[5] = 2;
        assertThat(code(answers.answer(two).orElseThrow())).isEqualTo(1);
        byte[] pointer = query("good.test", A);
        pointer[12] = (byte) 0xc0;
        assertThat(code(answers.answer(pointer).orElseThrow())).isEqualTo(1);
        byte[] chaos = query("good.test", A);
        chaos[chaos.length - 1] = 3;
        assertThat(code(answers.answer(chaos).orElseThrow())).isEqualTo(5);
        String longest = "a".repeat(63);
        String tooLong = String.join(".", longest, longest, longest, longest, "good.test");
        assertThat(code(answer(tooLong, A))).isEqualTo(1);
    }

    @Test
    void randomMessages_areAnsweredWithoutAnExceptionAndNeverLongerThanTheyDeserve() {
        SplittableRandom random = new SplittableRandom(42);
        byte[] start = query("good.test", A);
        for (int i = 0; i < 50_000; i++) {
            byte[] message = Arrays.copyOf(start, random.nextInt(start.length + 20));
            for (int flips = random.nextInt(5); flips > 0 && message.length > 0; flips--) {
                message[random.nextInt(message.length)] = (byte) random.nextInt();
            }
            answers.answer(message)
                    .ifPresent(answer ->
                            assertThat(answer.length).isLessThanOrEqualTo(message.length + 28));
        }
    }
}
