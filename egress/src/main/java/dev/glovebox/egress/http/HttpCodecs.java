package dev.glovebox.egress.http;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Settings;
import java.util.List;

/// Netty's HTTP/1.1 codec, set as strictly as it can be.
public final class HttpCodecs {
    private static final int MAX_LINE = 8 * 1024;
    private static final int MAX_CHUNK = 64 * 1024;
    private static final int MAX_STREAMS = 100;
    private static final int WINDOW = 64 * 1024 - 1;
    private static final int MAX_RESETS = 200;
    private static final int RESET_WINDOW_SECONDS = 30;

    private HttpCodecs() {}

    /// Strict settings for either direction.
    ///
    /// @param headerBytes of one head
    public static HttpDecoderConfig config(int headerBytes) {
        return new HttpDecoderConfig()
                .setMaxInitialLineLength(MAX_LINE)
                .setMaxHeaderSize(headerBytes)
                .setMaxChunkSize(MAX_CHUNK)
                .setAllowDuplicateContentLengths(false)
                .setStrictLineParsing(true)
                .setUseRfc9112TransferEncoding(true);
    }

    /// HTTP/2 towards clients, with bounds on what one of them can make the door hold: streams,
    /// bytes that nobody takes yet, heads, and resets in a row (CVE-2023-44487).
    ///
    /// @param headerBytes of one head
    public static Http2FrameCodecBuilder streams(int headerBytes) {
        return Http2FrameCodecBuilder.forServer()
                .initialSettings(
                        Http2Settings.defaultSettings()
                                .maxConcurrentStreams(MAX_STREAMS)
                                .initialWindowSize(WINDOW)
                                .maxHeaderListSize(headerBytes))
                .decoderEnforceMaxRstFramesPerWindow(MAX_RESETS, RESET_WINDOW_SECONDS);
    }

    /// Reads requests; a request that its sender has left unfinished ends as a failed one. Two ways
    /// to frame one are refused instead of reconciled, and a request line is its three words with
    /// one space between them (RFC 9112 §3). Netty would take tabs, form feeds and bare CR for
    /// spaces too, and `http` for `HTTP`.
    public static final class RequestReader extends HttpRequestDecoder {
        private boolean unfinished;

        /// @param config from [#config]
        public RequestReader(HttpDecoderConfig config) {
            super(config);
        }

        @Override
        protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
            throw new IllegalArgumentException("Content-Length beside Transfer-Encoding");
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out)
                throws Exception {
            int before = out.size();
            super.decode(ctx, in, out);
            note(out, before);
        }

        /// Netty forgets a request of which only the end of the trailers is missing.
        @Override
        protected void decodeLast(ChannelHandlerContext ctx, ByteBuf in, List<Object> out)
                throws Exception {
            int before = out.size();
            super.decodeLast(ctx, in, out);
            note(out, before);
            if (unfinished) {
                unfinished = false;
                LastHttpContent end = new DefaultLastHttpContent(Unpooled.EMPTY_BUFFER);
                end.setDecoderResult(
                        DecoderResult.failure(
                                new PrematureChannelClosureException("the request has no end")));
                out.add(end);
            }
        }

        private void note(List<Object> out, int from) {
            for (Object object : out.subList(from, out.size())) {
                unfinished = !(object instanceof LastHttpContent);
            }
        }

        /// The line is an array of its own, which begins with the method.
        @Override
        protected String splitFirstWordInitialLine(byte[] line, int start, int length) {
            if (start != 0 || line[length] != ' ') {
                throw new IllegalArgumentException("not a method and one space");
            }
            return super.splitFirstWordInitialLine(line, start, length);
        }

        @Override
        protected String splitSecondWordInitialLine(byte[] line, int start, int length) {
            if (!isSpaced(line, start) || line[start + length] != ' ') {
                throw new IllegalArgumentException("not a target between two spaces");
            }
            return super.splitSecondWordInitialLine(line, start, length);
        }

        @Override
        protected String splitThirdWordInitialLine(byte[] line, int start, int length) {
            if (!isSpaced(line, start) || line[start] != 'H') {
                throw new IllegalArgumentException("not one space and a version");
            }
            return super.splitThirdWordInitialLine(line, start, length);
        }

        private static boolean isSpaced(byte[] line, int start) {
            return start > 1 && line[start - 1] == ' ' && line[start - 2] > ' ';
        }
    }

    /// Writes responses; knows when the request was HEAD, whose answer has no body whatever its
    /// headers say.
    public static final class ResponseWriter extends HttpResponseEncoder {
        private boolean head;

        /// Called before each response.
        ///
        /// @param headRequest whether it answers a HEAD
        public void answering(boolean headRequest) {
            this.head = headRequest;
        }

        /// Whether the response under way answers a HEAD.
        public boolean isHead() {
            return head;
        }

        @Override
        protected boolean isContentAlwaysEmpty(HttpResponse response) {
            return head || super.isContentAlwaysEmpty(response);
        }
    }
}
