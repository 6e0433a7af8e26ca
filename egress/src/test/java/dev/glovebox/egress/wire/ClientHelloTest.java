package dev.glovebox.egress.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.SplittableRandom;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class ClientHelloTest {
    private static byte[] hello;
    private static byte[] nameless;

    @BeforeAll
    static void fromTheJdk() throws Exception {
        hello = hello(SSLContext.getDefault().createSSLEngine("good.test", 443));
        nameless = hello(SSLContext.getDefault().createSSLEngine());
    }

    private static byte[] hello(SSLEngine engine) throws Exception {
        engine.setUseClientMode(true);
        engine.beginHandshake();
        ByteBuffer out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), out);
        byte[] bytes = new byte[out.flip().remaining()];
        out.get(bytes);
        return bytes;
    }

    private static ClientHello read(byte[] bytes) {
        ByteBuf buffer = Unpooled.wrappedBuffer(bytes);
        ClientHello answer = ClientHello.read(buffer);
        assertThat(buffer.readableBytes()).isEqualTo(bytes.length);
        return answer;
    }

    private static ClientHello.Complete named(String name) {
        return new ClientHello.Complete(Optional.of(name), false);
    }

    @Test
    void realHello_namesItsServer() {
        assertThat(read(hello)).isEqualTo(named("good.test"));
        assertThat(read(nameless)).isEqualTo(new ClientHello.Complete(Optional.empty(), false));
    }

    @Test
    void splitIntoOneBytePieces_isIncompleteUntilTheLastByte() {
        ByteBuf growing = Unpooled.buffer();
        for (int i = 0; i < hello.length - 1; i++) {
            growing.writeByte(hello[i]);
            assertThat(ClientHello.read(growing)).isEqualTo(new ClientHello.Incomplete());
        }
        growing.writeByte(hello[hello.length - 1]);
        assertThat(ClientHello.read(growing)).isEqualTo(named("good.test"));
    }

    @Test
    void splitIntoManyRecords_readsTheSame() {
        for (int size : new int[] {1, 2, 3, 7, 64, 200}) {
            assertThat(read(records(size))).as("records of %s", size).isEqualTo(named("good.test"));
        }
    }

    private static byte[] records(int size) {
        ByteBuf out = Unpooled.buffer();
        for (int at = 5; at < hello.length; at += size) {
            int length = Math.min(size, hello.length - at);
            out.writeByte(22).writeShort(0x0301).writeShort(length).writeBytes(hello, at, length);
        }
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        return bytes;
    }

    @Test
    void bytesBehindTheHello_areNotLookedAt() {
        byte[] more = java.util.Arrays.copyOf(hello, hello.length + 40);
        assertThat(read(more)).isEqualTo(named("good.test"));
    }

    @Test
    void whatIsNotTls_isMalformedFromTheFirstByte() {
        assertThat(read(new byte[] {'G'})).isInstanceOf(ClientHello.Malformed.class);
        assertThat(read("SSH-2.0-x\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII)))
                .isInstanceOf(ClientHello.Malformed.class);
        assertThat(read(new byte[] {(byte) 0x80, 0x2e, 1, 3, 1}))
                .isInstanceOf(ClientHello.Malformed.class);
        assertThat(read(new byte[] {22, 3, 1, 0, 0})).isInstanceOf(ClientHello.Malformed.class);
        assertThat(read(new byte[] {22, 3, 1, 0, 4, 2, 0, 0, 0}))
                .isInstanceOf(ClientHello.Malformed.class);
    }

    @Test
    void helloThatNeverEnds_isMalformedAtTheLimit() {
        ByteBuf bytes = Unpooled.buffer();
        bytes.writeByte(22).writeShort(0x0301).writeShort(1 << 14);
        bytes.writeByte(1).writeMedium(1 << 20).writeZero((1 << 14) - 4);
        assertThat(ClientHello.read(bytes)).isInstanceOf(ClientHello.Malformed.class);
    }

    @Test
    void wholeHelloBeyondTheLimit_isMalformedLikeOneThatComesInPieces() throws Exception {
        assertThat(read(withExtension(21, new byte[15_000]))).isEqualTo(named("good.test"));
        assertThat(read(withExtension(21, new byte[ClientHello.MAX_BYTES])))
                .isInstanceOf(ClientHello.Malformed.class);
    }

    @Test
    void encryptedClientHello_isSeen() {
        assertThat(read(withExtension(0xfe0d, new byte[] {1, 2, 3})))
                .isEqualTo(new ClientHello.Complete(Optional.of("good.test"), true));
    }

    @Test
    void secondServerName_isMalformed() {
        ByteBuf name = Unpooled.buffer().writeShort(12).writeByte(0).writeShort(9);
        name.writeBytes("evil.test".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        byte[] second = new byte[name.readableBytes()];
        name.readBytes(second);
        assertThat(read(withExtension(0, second))).isInstanceOf(ClientHello.Malformed.class);
    }

    /// The JDK's hello with one more extension at the end.
    private static byte[] withExtension(int type, byte[] data) {
        ByteBuf out = Unpooled.buffer().writeBytes(hello).writeShort(type).writeShort(data.length);
        out.writeBytes(data);
        int added = 4 + data.length;
        out.setShort(3, out.getShort(3) + added);
        out.setMedium(6, out.getMedium(6) + added);
        int at = 5 + 4 + 2 + 32;
        at += 1 + out.getByte(at);
        at += 2 + out.getShort(at);
        at += 1 + out.getByte(at);
        out.setShort(at, out.getShort(at) + added);
        byte[] bytes = new byte[out.readableBytes()];
        out.readBytes(bytes);
        return bytes;
    }

    @Test
    void mutatedHellos_areReadWithoutAnException() {
        SplittableRandom random = new SplittableRandom(20261121);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = hello.clone();
            for (int flips = random.nextInt(1, 6); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            read(java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)));
        }
    }

    @Test
    void fault_onlyTheAllowedNamePasses() {
        HostName good = HostName.parse("good.test");
        assertThat(new ClientHello.Complete(Optional.of("good.test"), false).faultFor(good))
                .isEmpty();
        assertThat(new ClientHello.Complete(Optional.of("GOOD.test"), false).faultFor(good))
                .isEmpty();
        for (String name :
                new String[] {
                    "evil.test",
                    "good.test.",
                    "good.test\0",
                    "a.good.test",
                    "",
                    "good.test.evil.test"
                }) {
            assertThat(new ClientHello.Complete(Optional.of(name), false).faultFor(good))
                    .as(name)
                    .isPresent();
        }
        assertThat(new ClientHello.Complete(Optional.empty(), false).faultFor(good)).isPresent();
        assertThat(new ClientHello.Complete(Optional.of("good.test"), true).faultFor(good))
                .isPresent();
        HostAddress address = HostAddress.parse("203.0.113.10");
        assertThat(new ClientHello.Complete(Optional.empty(), false).faultFor(address)).isEmpty();
        assertThat(new ClientHello.Complete(Optional.of("good.test"), false).faultFor(address))
                .isPresent();
    }
}
