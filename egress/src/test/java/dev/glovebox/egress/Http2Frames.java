package dev.glovebox.egress;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/// A client of HTTP/2 that writes its frames one by one (RFC 9113), for what no library sends.
final class Http2Frames implements AutoCloseable {
    static final int DATA = 0;
    static final int HEADERS = 1;
    static final int PRIORITY = 2;
    static final int RST_STREAM = 3;
    static final int SETTINGS = 4;
    static final int PUSH_PROMISE = 5;
    static final int PING = 6;
    static final int GOAWAY = 7;
    static final int WINDOW_UPDATE = 8;
    static final int CONTINUATION = 9;

    static final int END_STREAM = 1;
    static final int ACK = 1;
    static final int END_HEADERS = 4;

    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false);

    /// A frame as it came.
    record Frame(int type, int flags, int stream, ByteBuffer payload) {
        String text() {
            return StandardCharsets.ISO_8859_1.decode(payload.duplicate()).toString();
        }
    }

    /// Begins with the preface and empty settings.
    Http2Frames(Socket socket) throws IOException {
        this.socket = socket;
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(socket.getOutputStream());
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        send(SETTINGS, 0, 0);
    }

    /// Several frames in one piece of bytes, to be written at once.
    static byte[] frame(int type, int flags, int stream, byte... payload) {
        return ByteBuffer.allocate(9 + payload.length)
                .put((byte) (payload.length >> 16))
                .putShort((short) payload.length)
                .put((byte) type)
                .put((byte) flags)
                .putInt(stream)
                .put(payload)
                .array();
    }

    void send(int type, int flags, int stream, byte... payload) throws IOException {
        write(frame(type, flags, stream, payload));
    }

    void write(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
    }

    /// A request: names and values in turn, as they are to be sent.
    void request(int stream, boolean end, String... fields) throws IOException {
        send(HEADERS, END_HEADERS | (end ? END_STREAM : 0), stream, block(fields));
    }

    /// The usual fields of a request.
    static String[] get(String authority, String path, String... more) {
        String[] fields =
                Arrays.copyOf(
                        new String[] {
                            ":method",
                            "GET",
                            ":scheme",
                            "https",
                            ":authority",
                            authority,
                            ":path",
                            path
                        },
                        8 + more.length);
        System.arraycopy(more, 0, fields, 8, more.length);
        return fields;
    }

    /// A field block: literals that are not indexed (RFC 7541 §6.2.2), without Huffman's code.
    static byte[] block(String... fields) {
        ByteArrayOutputStream block = new ByteArrayOutputStream();
        for (int i = 0; i < fields.length; i += 2) {
            block.write(0);
            literal(block, fields[i]);
            literal(block, fields[i + 1]);
        }
        return block.toByteArray();
    }

    private static void literal(ByteArrayOutputStream block, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        int left = bytes.length;
        if (left < 127) {
            block.write(left);
        } else {
            block.write(127);
            for (left -= 127; left >= 128; left >>= 7) {
                block.write(128 | (left & 127));
            }
            block.write(left);
        }
        block.writeBytes(bytes);
    }

    /// The next frame; of type -1 when the connection has ended, however.
    Frame next() throws IOException {
        try {
            int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
            int type = in.readUnsignedByte();
            int flags = in.readUnsignedByte();
            int stream = in.readInt() & 0x7fffffff;
            byte[] payload = new byte[length];
            in.readFully(payload);
            return new Frame(type, flags, stream, ByteBuffer.wrap(payload));
        } catch (EOFException | SocketException e) {
            return new Frame(-1, 0, 0, ByteBuffer.allocate(0));
        }
    }

    /// What becomes of a stream: the status of each head and the body, then `reset CODE`, or
    /// `closed` if the connection ended. Settings are acknowledged on the way.
    String answer(int stream) throws IOException {
        return answer(stream, headers -> headers.status() == null ? "" : headers.status() + " ");
    }

    /// The same with all fields and trailers.
    String whole(int stream) throws IOException {
        return answer(
                stream,
                headers -> {
                    StringBuilder lines = new StringBuilder();
                    for (Map.Entry<CharSequence, CharSequence> each : headers) {
                        lines.append(each.getKey())
                                .append(": ")
                                .append(each.getValue())
                                .append("\n");
                    }
                    return lines.toString();
                });
    }

    /// So many bytes of the body of a stream that is still open.
    String data(int stream, int length) throws IOException {
        StringBuilder data = new StringBuilder();
        while (data.length() < length) {
            Frame frame = next();
            if (frame.type() < 0 || frame.type() == RST_STREAM) {
                return data + "[no more]";
            }
            if (frame.type() == HEADERS) {
                decoded(frame);
            } else if (frame.type() == DATA && frame.stream() == stream) {
                data.append(frame.text());
            }
        }
        return data.toString();
    }

    /// The answers of all streams up to this one, each as in [#answer].
    List<String> answers(int last) throws IOException {
        Map<Integer, StringBuilder> open = new HashMap<>();
        List<String> ended = new ArrayList<>();
        while (ended.size() < (last + 1) / 2) {
            Frame frame = next();
            if (frame.type() < 0) {
                ended.add("closed");
                return ended;
            }
            StringBuilder one = open.computeIfAbsent(frame.stream(), _ -> new StringBuilder());
            if (frame.type() == HEADERS) {
                Http2Headers headers = decoded(frame);
                one.append(headers.status() == null ? "" : headers.status() + " ");
            } else if (frame.type() == DATA) {
                one.append(frame.text());
            }
            if (frame.stream() > 0 && isEnd(frame)) {
                ended.add(one.toString());
            }
        }
        return ended;
    }

    private static boolean isEnd(Frame frame) {
        return frame.type() == RST_STREAM
                || (frame.type() <= HEADERS && (frame.flags() & END_STREAM) != 0);
    }

    private String answer(int stream, Function<Http2Headers, String> shown) throws IOException {
        StringBuilder answer = new StringBuilder();
        while (true) {
            Frame frame = next();
            if (frame.type() < 0) {
                return answer + "closed";
            }
            if (frame.type() == SETTINGS && (frame.flags() & ACK) == 0) {
                send(SETTINGS, ACK, 0);
            }
            String fields = frame.type() == HEADERS ? shown.apply(decoded(frame)) : "";
            if (frame.stream() != stream) {
                continue;
            }
            answer.append(fields);
            if (frame.type() == DATA) {
                answer.append(frame.text());
            } else if (frame.type() == RST_STREAM) {
                return answer + "reset " + frame.payload().getInt(0);
            }
            if (isEnd(frame)) {
                return answer.toString();
            }
        }
    }

    /// The fields of a response; every block must be read, because each may refer to earlier ones.
    Http2Headers decoded(Frame frame) throws IOException {
        try {
            return decoder.decodeHeaders(frame.stream(), Unpooled.wrappedBuffer(frame.payload()));
        } catch (Http2Exception e) {
            throw new IOException(e);
        }
    }

    /// Reads until the connection has ended or nothing comes any more within the socket's timeout.
    ///
    /// @return the code of the last GOAWAY, or -1
    int end() throws IOException {
        int code = -1;
        for (Frame frame = next(); frame.type() >= 0; frame = next()) {
            if (frame.type() == GOAWAY) {
                code = frame.payload().getInt(4);
            }
        }
        return code;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
