package dev.glovebox.worker.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("StringConcatToTextBlock") // the kinds of line ends are the point
class SseParserTest {
    private static final String STREAM =
            "\uFEFF: open\n\nevent: a\ndata: {\"x\":\"\u00e9\u20ac\ud83d\ude00\"}\n\n"
                    + "event:b\r\ndata:1\r\ndata: 2\r\ndata:  3\r\n\r\n"
                    + "data: only\r\revent: none\n\nid: 7\nretry: 1\ndata\n\nevent: cut\ndata: x\n";
    private static final List<SseEvent> EVENTS =
            List.of(
                    new SseEvent("a", "{\"x\":\"\u00e9\u20ac\ud83d\ude00\"}"),
                    new SseEvent("b", "1\n2\n 3"),
                    new SseEvent("", "only"),
                    new SseEvent("", ""));

    @Test
    void readsTheSameHoweverTheBytesAreCut() throws IOException {
        byte[] bytes = STREAM.getBytes(StandardCharsets.UTF_8);
        for (int cut = 0; cut <= bytes.length; cut++) {
            for (int second = cut; second <= bytes.length; second += 7) {
                List<SseEvent> events = new ArrayList<>();
                SseParser parser = new SseParser();
                feed(parser, bytes, 0, cut, events);
                feed(parser, bytes, cut, second, events);
                feed(parser, bytes, second, bytes.length, events);

                assertThat(events).as("cut at %d and %d", cut, second).isEqualTo(EVENTS);
            }
        }
    }

    @Test
    void readsByteByByte() throws IOException {
        List<SseEvent> events = new ArrayList<>();
        SseParser parser = new SseParser();
        for (byte b : STREAM.getBytes(StandardCharsets.UTF_8)) {
            parser.feed(new byte[] {b}, 1, events::add);
        }

        assertThat(events).isEqualTo(EVENTS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n\n\n", ": comment\n\n", "event: x\n\n", "data: not over"})
    void makesNoEventOfNothing(String text) throws IOException {
        List<SseEvent> events = new ArrayList<>();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        new SseParser().feed(bytes, bytes.length, events::add);

        assertThat(events).isEmpty();
    }

    @Test
    void refusesAnEventWithoutEnd() {
        byte[] chunk = new byte[1 << 20];
        Arrays.fill(chunk, (byte) 'x');
        SseParser parser = new SseParser();

        assertThatThrownBy(
                        () -> {
                            for (int i = 0; i < 40; i++) {
                                parser.feed(chunk, chunk.length, _ -> {});
                            }
                        })
                .isInstanceOf(IOException.class)
                .hasMessageContaining("event of more than");
    }

    private static void feed(
            SseParser parser, byte[] bytes, int from, int to, List<SseEvent> events)
            throws IOException {
        parser.feed(Arrays.copyOfRange(bytes, from, to), to - from, events::add);
    }
}
