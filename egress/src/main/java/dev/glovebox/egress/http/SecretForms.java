package dev.glovebox.egress.http;

import dev.glovebox.protocol.Secret;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// The spellings in which a server may repeat a secret: as it stands, in base64 and base64url at
/// each of the three alignments it can have within a longer text, in hexadecimal of either case,
/// percent-encoded in three ways, with JSON's escapes in two ways, and with HTML's.
///
/// Only the part of a base64 text that depends on nothing but the secret is looked for. A spelling
/// shorter than 8 bytes is left out, because it could stand anywhere by chance.
final class SecretForms {
    private static final int SHORTEST = 8;

    private SecretForms() {}

    /// The forms of all the secrets, longest first, none twice.
    static List<byte[]> of(List<Secret> secrets) {
        Set<String> forms = new LinkedHashSet<>();
        for (Secret secret : secrets) {
            addForms(secret.reveal(), forms);
        }
        List<byte[]> bytes = new ArrayList<>();
        for (String form : forms) {
            byte[] each = form.getBytes(StandardCharsets.UTF_8);
            if (each.length >= SHORTEST) {
                bytes.add(each);
            }
        }
        bytes.sort((a, b) -> Integer.compare(b.length, a.length));
        return bytes;
    }

    private static void addForms(String text, Set<String> forms) {
        byte[] raw = text.getBytes(StandardCharsets.UTF_8);
        if (raw.length < SHORTEST) {
            return;
        }
        forms.add(text);
        for (int before = 0; before < 3; before++) {
            forms.add(aligned(Base64.getEncoder(), raw, before));
            forms.add(aligned(Base64.getUrlEncoder(), raw, before));
        }
        forms.add(HexFormat.of().formatHex(raw));
        forms.add(HexFormat.of().withUpperCase().formatHex(raw));
        String form = URLEncoder.encode(text, StandardCharsets.UTF_8);
        String url = form.replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
        forms.addAll(List.of(form, url));
        forms.add(percentLower(url));
        forms.add(HexFormat.of().withUpperCase().withPrefix("%").formatHex(raw));
        forms.add(json(text, false));
        forms.add(json(text, true));
        forms.add(
                text.replace("&", "&amp;")
                        .replace("<", "&lt;")
                        .replace(">", "&gt;")
                        .replace("\"", "&quot;")
                        .replace("'", "&#39;"));
    }

    /// The characters of the base64 text that stay the same whatever stands around the secret.
    private static String aligned(Base64.Encoder encoder, byte[] raw, int before) {
        byte[] shifted = new byte[raw.length + before];
        System.arraycopy(raw, 0, shifted, before, raw.length);
        byte[] encoded = encoder.withoutPadding().encode(shifted);
        int from = (before * 8 + 5) / 6;
        int to = shifted.length * 8 / 6;
        return new String(Arrays.copyOfRange(encoded, from, to), StandardCharsets.US_ASCII);
    }

    private static String percentLower(String url) {
        StringBuilder lower = new StringBuilder(url);
        for (int i = lower.indexOf("%"); i >= 0; i = lower.indexOf("%", i + 1)) {
            for (int j = i + 1; j <= i + 2; j++) {
                lower.setCharAt(j, Character.toLowerCase(lower.charAt(j)));
            }
        }
        return lower.toString();
    }

    private static String json(String text, boolean slashes) {
        StringBuilder escaped = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> escaped.append('\\').append(c);
                case '/' -> escaped.append(slashes ? "\\/" : "/");
                case '<', '>', '&', '\'', '=', '+' ->
                        escaped.append(
                                slashes ? String.format(Locale.ROOT, "\\u%04x", (int) c) : "" + c);
                default ->
                        escaped.append(
                                c < 0x20 || c > 0x7e
                                        ? String.format(Locale.ROOT, "\\u%04x", (int) c)
                                        : "" + c);
            }
        }
        return escaped.toString();
    }
}
