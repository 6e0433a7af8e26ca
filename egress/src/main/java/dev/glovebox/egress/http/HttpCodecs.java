package dev.glovebox.egress.http;

import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseEncoder;

/// Netty's HTTP/1.1 codec, set as strictly as it can be.
public final class HttpCodecs {
    private static final int MAX_LINE = 8 * 1024;
    private static final int MAX_CHUNK = 64 * 1024;

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

    /// Reads requests; two ways to frame one are refused instead of reconciled.
    public static final class RequestReader extends HttpRequestDecoder {
        /// @param config from [#config]
        public RequestReader(HttpDecoderConfig config) {
            super(config);
        }

        @Override
        protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
            throw new IllegalArgumentException("Content-Length beside Transfer-Encoding");
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
