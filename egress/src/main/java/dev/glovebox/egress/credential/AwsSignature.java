package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Secret;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// AWS Signature Version 4, in the Authorization header, as published in the IAM User Guide
/// ("Create a signed AWS API request").
///
/// The path is taken as it is sent, already canonical. Every service but S3 wants it encoded once
/// more.
///
/// @param accessKeyId of the key
/// @param region that the signature is for
/// @param service that the signature is for, as `s3`
record AwsSignature(String accessKeyId, String region, String service) {
    static final String ALGORITHM = "AWS4-HMAC-SHA256";

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);
    private static final String UNRESERVED = "-._~";

    /// What is signed of a request.
    ///
    /// @param target path and query as they are sent
    /// @param headers that are signed, by name in lower case; several values joined by commas
    /// @param payload SHA-256 of the body in hexadecimal, or one of S3's words for it
    record Request(String method, String target, Map<String, String> headers, String payload) {}

    /// The time as `X-Amz-Date` has it.
    static String time(Instant now) {
        return TIME.format(now);
    }

    /// The value of the Authorization header.
    ///
    /// @param time from [#time], also among the headers
    String authorization(Request request, String time, Secret secret) {
        SortedMap<String, String> headers = new TreeMap<>(request.headers());
        String signed = String.join(";", headers.keySet());
        int question = request.target().indexOf('?');
        String path = question < 0 ? request.target() : request.target().substring(0, question);
        String query = question < 0 ? "" : request.target().substring(question + 1);
        String canonical =
                request.method()
                        + "\n"
                        + (service.equals("s3") ? path : encoded(path, true))
                        + "\n"
                        + canonicalQuery(query)
                        + "\n"
                        + headers.entrySet().stream()
                                .map(each -> each.getKey() + ":" + squeezed(each.getValue()) + "\n")
                                .collect(Collectors.joining())
                        + "\n"
                        + signed
                        + "\n"
                        + request.payload();
        String date = time.substring(0, 8);
        String scope = date + "/" + region + "/" + service + "/aws4_request";
        String text =
                ALGORITHM
                        + "\n"
                        + time
                        + "\n"
                        + scope
                        + "\n"
                        + sha256(canonical.getBytes(StandardCharsets.UTF_8));
        return ALGORITHM
                + " Credential="
                + accessKeyId
                + "/"
                + scope
                + ", SignedHeaders="
                + signed
                + ", Signature="
                + HexFormat.of().formatHex(hmac(key(secret, date), text));
    }

    private byte[] key(Secret secret, String date) {
        byte[] start = ("AWS4" + secret.reveal()).getBytes(StandardCharsets.UTF_8);
        byte[] day = hmac(start, date);
        Arrays.fill(start, (byte) 0);
        return hmac(hmac(hmac(day, region), service), "aws4_request");
    }

    private static String canonicalQuery(String query) {
        if (query.isEmpty()) {
            return "";
        }
        List<String[]> pairs = new ArrayList<>();
        for (String pair : query.split("&", -1)) {
            int equals = pair.indexOf('=');
            String name = equals < 0 ? pair : pair.substring(0, equals);
            String value = equals < 0 ? "" : pair.substring(equals + 1);
            if (!pair.isEmpty()) {
                pairs.add(
                        new String[] {
                            encoded(decoded(name), false), encoded(decoded(value), false)
                        });
            }
        }
        pairs.sort((a, b) -> a[0].equals(b[0]) ? a[1].compareTo(b[1]) : a[0].compareTo(b[0]));
        return pairs.stream().map(each -> each[0] + "=" + each[1]).collect(Collectors.joining("&"));
    }

    /// In a query that is sent, `+` is itself: AWS reads it so.
    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static String encoded(String text, boolean path) {
        StringBuilder encoded = new StringBuilder();
        for (byte each : text.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (each & 0xff);
            boolean plain =
                    (c >= 'A' && c <= 'Z')
                            || (c >= 'a' && c <= 'z')
                            || (c >= '0' && c <= '9')
                            || UNRESERVED.indexOf(c) >= 0
                            || (path && c == '/');
            encoded.append(plain ? "" + c : String.format(Locale.ROOT, "%%%02X", (int) c));
        }
        return encoded.toString();
    }

    private static String squeezed(String value) {
        return value.strip().replaceAll(" +", " ");
    }

    /// The digest in lower-case hexadecimal.
    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has HmacSHA256", e);
        }
    }
}
