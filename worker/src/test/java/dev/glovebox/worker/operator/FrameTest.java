package dev.glovebox.worker.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class FrameTest {
    @Test
    void everyFrame_comesOutAsItWentIn() {
        ByteBuffer bytes = ByteBuffer.wrap(new byte[] {1, 2, 3});
        List<Frame> frames =
                List.of(
                        new Frame.Input(bytes),
                        new Frame.InputEnd(),
                        new Frame.Resize(1, 0xffff),
                        new Frame.Signal(15),
                        new Frame.Detach(),
                        new Frame.Output(bytes),
                        new Frame.Errors(bytes),
                        new Frame.Grant(Frame.INPUT_WINDOW),
                        new Frame.Exit(-1, 9),
                        new Frame.Lost("grüße"));
        for (Frame frame : frames) {
            ByteBuffer wire = frame.encoded();
            byte kind = wire.get();
            assertThat(wire.getInt()).isEqualTo(wire.remaining());
            assertThat(Frame.decoded(kind, wire.slice())).isEqualTo(frame);
        }
    }

    @Test
    void nonsense_isRefusedAndNothingElseIsThrown() {
        Random random = new Random(18);
        for (int i = 0; i < 100_000; i++) {
            byte[] content = new byte[random.nextInt(12)];
            random.nextBytes(content);
            byte kind = (byte) random.nextInt(24);
            try {
                Frame frame = Frame.decoded(kind, ByteBuffer.wrap(content));
                assertThat(frame.encoded().get()).isEqualTo(kind);
            } catch (OperatorException e) {
                assertThat(e.getMessage()).contains("frame");
            }
        }
        assertThatThrownBy(() -> Frame.decoded((byte) 3, ByteBuffer.allocate(8)))
                .isInstanceOf(OperatorException.class);
        assertThat(Frame.bytes(ByteBuffer.wrap(new byte[] {7, 8, 9}, 1, 1)))
                .isEqualTo(Arrays.copyOf(new byte[] {8}, 1));
    }
}
