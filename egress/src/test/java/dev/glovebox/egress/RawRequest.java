package dev.glovebox.egress;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One case of `requests.txt`, which says how they are written.
///
/// @param id stands in every request of the case, so that a server's log tells whose it is
/// @param reaching how many requests of it reach a server
/// @param name of the attack
/// @param bytes as they go on the wire, a character each
/// @param proxied whether it is said to the door as a proxy
record RawRequest(String id, int reaching, String name, String bytes, boolean proxied) {
    private static final String HEAD = "/{id} HTTP/1.1\r\nHost: good.test\r\n";
    private static final Pattern REPEATED = Pattern.compile("\\{([^{}]+)\\*(\\d+)}");
    private static final Pattern LINE = Pattern.compile("(?<=^|[\r\n])([^ \r\n]+) /");
    private static final Pattern HEX = Pattern.compile("\\\\x([0-9a-f]{2})");

    static List<RawRequest> all() throws IOException {
        try (InputStream in = RawRequest.class.getResourceAsStream("requests.txt")) {
            List<String> lines =
                    new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                            .lines()
                            .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                            .toList();
            return java.util.stream.IntStream.range(0, lines.size())
                    .mapToObj(number -> parse(number, lines.get(number).split(" ", 3)))
                    .toList();
        }
    }

    private static RawRequest parse(int number, String[] words) {
        String id = String.format(Locale.ROOT, "case%03d", number);
        String text =
                words[2].replace("{get}", "GET " + HEAD)
                        .replace("{post}", "POST " + HEAD)
                        .replace("{next}", "GET " + HEAD.replace("{id}", "{id}/next") + "\r\n")
                        .replace("{id}", id);
        String plain =
                text.replace("\\r", "\r")
                        .replace("\\n", "\n")
                        .replace("\\t", "\t")
                        .replace("\\0", "\0")
                        .replace("\\\\", "\\");
        String bytes = HEX.matcher(plain).replaceAll(RawRequest::byteOf);
        String whole =
                REPEATED.matcher(bytes)
                        .replaceAll(part ->
                                Matcher.quoteReplacement(
                                        part.group(1).repeat(Integer.parseInt(part.group(2)))));
        return new RawRequest(id, Integer.parseInt(words[0]), words[1], whole, false);
    }

    /// Whether it is wrong for a server only: a proxy is spoken to like that.
    boolean isForProxies() {
        return Set.of("line-absolute", "line-connect").contains(name);
    }

    /// The same as a proxy is asked for it: every target a URL. One request of a connection is
    /// served.
    RawRequest byProxy() {
        String other = id.replace("case", "proxy");
        return new RawRequest(
                other,
                Math.min(1, reaching),
                "by proxy: " + name,
                LINE.matcher(bytes.replace(id, other)).replaceAll("$1 http://good.test/"),
                true);
    }

    private static String byteOf(MatchResult hex) {
        return Matcher.quoteReplacement(String.valueOf((char) Integer.parseInt(hex.group(1), 16)));
    }

    @Override
    public String toString() {
        return name;
    }
}
