package dev.glovebox.worker.operator;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// One message between an operator's client and the worker while a command runs.
public sealed interface Frame {
    /// Most bytes of content.
    int LONGEST = 64 * 1024;

    /// Bytes of input a client may send before it is granted more.
    int INPUT_WINDOW = 64 * 1024;

    /// From the client: input.
    record Input(ByteBuffer bytes) implements Frame {}

    /// From the client: the input is at its end.
    record InputEnd() implements Frame {}

    /// From the client: its terminal has this size now; each side 1 to 65,535.
    record Resize(int rows, int columns) implements Frame {}

    /// From the client: a signal for the command, 1 to 64.
    record Signal(int number) implements Frame {}

    /// From the client: it leaves and the command goes on, its output dropped.
    record Detach() implements Frame {}

    /// From the worker: output, or all output of a terminal.
    record Output(ByteBuffer bytes) implements Frame {}

    /// From the worker: what went to standard error.
    record Errors(ByteBuffer bytes) implements Frame {}

    /// From the worker: so many more bytes of input may be sent.
    record Grant(int bytes) implements Frame {}

    /// From the worker: the command has ended and this was all.
    ///
    /// @param code 0 to 255, or -1 if a signal ended it
    /// @param signal that ended it, or 0
    record Exit(int code, int signal) implements Frame {}

    /// From the worker: the command cannot be followed any longer, because its sandbox has ended.
    record Lost(String reason) implements Frame {}

    /// The byte that says which it is.
    private byte kind() {
        return switch (this) {
            case Input _ -> 1;
            case InputEnd _ -> 2;
            case Resize _ -> 3;
            case Signal _ -> 4;
            case Detach _ -> 5;
            case Output _ -> 16;
            case Errors _ -> 17;
            case Grant _ -> 18;
            case Exit _ -> 19;
            case Lost _ -> 20;
        };
    }

    private ByteBuffer content() {
        return switch (this) {
            case Input(ByteBuffer bytes) -> bytes.duplicate();
            case Output(ByteBuffer bytes) -> bytes.duplicate();
            case Errors(ByteBuffer bytes) -> bytes.duplicate();
            case InputEnd(), Detach() -> ByteBuffer.allocate(0);
            case Resize(int rows, int columns) ->
                    ByteBuffer.allocate(8).putInt(rows).putInt(columns).flip();
            case Signal(int number) -> ByteBuffer.allocate(4).putInt(number).flip();
            case Grant(int bytes) -> ByteBuffer.allocate(4).putInt(bytes).flip();
            case Exit(int code, int signal) ->
                    ByteBuffer.allocate(8).putInt(code).putInt(signal).flip();
            case Lost(String reason) -> StandardCharsets.UTF_8.encode(reason);
        };
    }

    /// A copy of the content of input or output.
    static byte[] bytes(ByteBuffer content) {
        byte[] bytes = new byte[content.remaining()];
        content.duplicate().get(bytes);
        return bytes;
    }

    /// Its bytes on the wire.
    default ByteBuffer encoded() {
        ByteBuffer content = content();
        return ByteBuffer.allocate(5 + content.remaining())
                .put(kind())
                .putInt(content.remaining())
                .put(content)
                .flip();
    }

    /// What the bytes of one mean.
    ///
    /// @throws OperatorException if there is no such frame
    static Frame decoded(byte kind, ByteBuffer content) {
        Frame frame =
                switch (kind) {
                    case 1 -> new Input(content);
                    case 2 -> new InputEnd();
                    case 3 ->
                            new Resize(
                                    number(content, 0, 1, 0xffff), number(content, 4, 1, 0xffff));
                    case 4 -> new Signal(number(content, 0, 1, 64));
                    case 5 -> new Detach();
                    case 16 -> new Output(content);
                    case 17 -> new Errors(content);
                    case 18 -> new Grant(number(content, 0, 1, INPUT_WINDOW));
                    case 19 -> new Exit(number(content, 0, -1, 255), number(content, 4, 0, 64));
                    case 20 ->
                            new Lost(StandardCharsets.UTF_8.decode(content.duplicate()).toString());
                    default -> throw new OperatorException("no frame is of kind " + kind);
                };
        if (frame.content().remaining() != content.remaining()) {
            throw new OperatorException("a frame of kind " + kind + " has another length");
        }
        return frame;
    }

    private static int number(ByteBuffer content, int at, int least, int most) {
        if (content.remaining() < at + 4) {
            throw new OperatorException("a frame is too short");
        }
        int number = content.getInt(content.position() + at);
        if (number < least || number > most) {
            throw new OperatorException("a number in a frame is out of its range: " + number);
        }
        return number;
    }
}
