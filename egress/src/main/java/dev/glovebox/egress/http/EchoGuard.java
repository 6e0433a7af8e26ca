package dev.glovebox.egress.http;

import dev.glovebox.protocol.Secret;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Looks for credentials in what a server answers, so that a server which echoes requests does not
/// hand a secret to the sandbox, and puts `*` over every byte of what it finds.
///
/// Finds every form of [SecretForms] in one pass, wherever the stream is cut (Aho and Corasick,
/// 1975): the forms are a tree of bytes, each node knows the longest other beginning of a form that
/// it ends with, and the place in the tree is the whole memory of the search. Bytes that may be the
/// beginning of a form are held back until it is known, so a stream of events is not delayed; three
/// of them go on when the server makes a pause, because it may wait for a word from the client.
/// What is covered keeps its length, so a `Content-Length` stays true.
///
/// Most bytes are not looked at: where no form is under way, one that begins here has its shortest
/// length still before it, and the two bytes at that distance say how far the next possible
/// beginning is (Wu and Manber, 1994).
///
/// What it cannot find: a secret shorter than 8 bytes, forms not named there (reversed, encrypted,
/// encoded twice, cut up, or compressed within the body). This is a net under the rope; the rope is
/// a narrow rule. One guard belongs to one response; [Forms] are shared.
public final class EchoGuard {
    private static final int LITTLE = 3;
    private static final byte[] NOTHING = {};

    private final Forms forms;
    private byte[] room = NOTHING;
    private byte[] held = NOTHING;
    private int node;
    private boolean found;

    /// The tree of all forms of some secrets. Immutable.
    public static final class Forms {
        private static final int PAIRS = 1 << 13;
        private static final int FARTHEST = 64;

        private final byte[] label;
        private final int[] child;
        private final int[] sibling;
        private final int[] fallback;
        private final int[] depth;
        private final int[] ends;
        private final int[] first = new int[256];

        /// Of the shortest form, or as far as one looks ahead.
        private final int window;

        /// How far the next beginning of a form is, by the last two bytes of the window before it;
        /// 0 if one may begin where the window does.
        private final byte[] skips = new byte[PAIRS];

        private int nodes = 1;

        private Forms(List<byte[]> all) {
            int size = 1 + all.stream().mapToInt(each -> each.length).sum();
            label = new byte[size];
            child = new int[size];
            sibling = new int[size];
            fallback = new int[size];
            depth = new int[size];
            ends = new int[size];
            window = all.stream().mapToInt(each -> each.length).reduce(FARTHEST, Math::min);
            Arrays.fill(skips, (byte) (window - 1));
            all.forEach(this::add);
            link();
        }

        /// The forms of these secrets; empty if none is long enough to be told from chance.
        public static Optional<Forms> of(List<Secret> secrets) {
            List<byte[]> all = SecretForms.of(secrets);
            return all.isEmpty() ? Optional.empty() : Optional.of(new Forms(all));
        }

        /// A guard for one response.
        public EchoGuard guard() {
            return new EchoGuard(this);
        }

        private static int pair(byte one, byte two) {
            return ((one & 0xff) * 37 ^ (two & 0xff) << 5) & (PAIRS - 1);
        }

        private void add(byte[] form) {
            for (int i = 1; i < window; i++) {
                int pair = pair(form[i - 1], form[i]);
                skips[pair] = (byte) Math.min(skips[pair], window - 1 - i);
            }
            int at = 0;
            for (byte each : form) {
                int next = at == 0 ? first[each & 0xff] : childOf(at, each);
                if (next == 0) {
                    next = nodes++;
                    label[next] = each;
                    depth[next] = depth[at] + 1;
                    sibling[next] = child[at];
                    child[at] = next;
                    if (at == 0) {
                        first[each & 0xff] = next;
                    }
                }
                at = next;
            }
            ends[at] = form.length;
        }

        private int childOf(int parent, byte next) {
            int at = child[parent];
            while (at != 0 && label[at] != next) {
                at = sibling[at];
            }
            return at;
        }

        /// Breadth first, so that a fallback, which is nearer to the root, is linked before.
        private void link() {
            Deque<Integer> waiting = new ArrayDeque<>();
            for (int at = child[0]; at != 0; at = sibling[at]) {
                waiting.add(at);
            }
            while (!waiting.isEmpty()) {
                int parent = waiting.remove();
                for (int at = child[parent]; at != 0; at = sibling[at]) {
                    fallback[at] = step(fallback[parent], label[at]);
                    ends[at] = Math.max(ends[at], ends[fallback[at]]);
                    waiting.add(at);
                }
            }
        }

        private int step(int from, byte next) {
            int at = from;
            while (at != 0) {
                int to = childOf(at, next);
                if (to != 0) {
                    return to;
                }
                at = fallback[at];
            }
            return first[next & 0xff];
        }
    }

    private EchoGuard(Forms forms) {
        this.forms = forms;
    }

    /// Whether anything has been covered yet.
    public boolean hasFound() {
        return found;
    }

    /// Covers secrets in the values of headers or trailers.
    ///
    /// @return false if a header's very name holds one, which cannot be covered
    public boolean cover(HttpHeaders headers) {
        for (Map.Entry<String, String> header : headers.entries()) {
            if (!covered(header.getKey()).equals(header.getKey())) {
                return false;
            }
            if (!covered(header.getValue()).equals(header.getValue())) {
                List<String> values = headers.getAll(header.getKey());
                headers.set(header.getKey(), values.stream().map(this::covered).toList());
            }
        }
        return true;
    }

    private String covered(String text) {
        int at = 0;
        for (int i = 0; i < text.length(); i++) {
            char each = text.charAt(i);
            at = forms.step(at, (byte) each);
            if (each > 0x7f || forms.ends[at] > 0) {
                return searched(text);
            }
        }
        return text;
    }

    private String searched(String text) {
        EchoGuard own = new EchoGuard(forms);
        ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        ByteBuf passed = own.pass(bytes, true);
        found |= own.found;
        return own.found ? passed.toString(StandardCharsets.UTF_8) : text;
    }

    /// Takes the next bytes of the body, over which it takes ownership, and gives those that may go
    /// on.
    ///
    /// @param end whether these are the last, so that nothing needs to be held back
    public ByteBuf pass(ByteBuf content, boolean end) {
        int before = held.length;
        int length = content.readableBytes();
        int all = before + length;
        if (room.length < all) {
            room = new byte[all];
        }
        System.arraycopy(held, 0, room, 0, before);
        content.getBytes(content.readerIndex(), room, before, length);
        boolean same = !search(before, all) && before == 0;
        boolean known = end || forms.ends[node] == forms.depth[node];
        int back = known ? 0 : Math.min(forms.depth[node], all);
        node = end ? 0 : node;
        held = back == 0 ? NOTHING : Arrays.copyOfRange(room, all - back, all);
        if (same) {
            return content.writerIndex(content.writerIndex() - back);
        }
        content.release();
        return Unpooled.wrappedBuffer(Arrays.copyOf(room, all - back));
    }

    /// Goes on with the search over what has been put into the room.
    ///
    /// @return whether anything was covered
    private boolean search(int from, int to) {
        byte[] bytes = room;
        boolean covered = false;
        int at = from;
        while (at < to) {
            if (node == 0) {
                at = next(bytes, at, to);
            }
            node = forms.step(node, bytes[at++]);
            int match = forms.ends[node];
            if (match > 0) {
                Arrays.fill(bytes, Math.max(0, at - match), at, (byte) '*');
                covered = true;
            }
        }
        found |= covered;
        return covered;
    }

    /// The next place at which a form may begin, if none begins before this one; before the end in
    /// any case.
    private int next(byte[] bytes, int from, int to) {
        byte[] skips = forms.skips;
        int ahead = forms.window - 1;
        int last = from + ahead;
        while (last < to) {
            int skip = skips[Forms.pair(bytes[last - 1], bytes[last])];
            if (skip == 0) {
                break;
            }
            last += skip;
        }
        return last - ahead;
    }

    /// Whether so little is held back that it tells nothing.
    public boolean holdsLittle() {
        return held.length > 0 && forms.depth[node] <= LITTLE;
    }

    /// Gives what is held back. If it was the beginning of a secret, the rest of it is still
    /// covered.
    public ByteBuf release() {
        byte[] bytes = held;
        held = NOTHING;
        return Unpooled.wrappedBuffer(bytes);
    }
}
