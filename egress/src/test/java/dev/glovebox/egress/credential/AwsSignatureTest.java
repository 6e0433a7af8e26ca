package dev.glovebox.egress.credential;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Secret;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The vectors that AWS publishes: its Signature Version 4 test suite, and the examples of the S3
/// API reference ("Signature Calculations for the Authorization Header").
class AwsSignatureTest {
    private static final String EMPTY = AwsSignature.sha256(new byte[0]);

    private static String suite(
            String method, String target, Map<String, String> more, String body) {
        Map<String, String> headers = new HashMap<>(more);
        headers.put("host", "example.amazonaws.com");
        headers.put("x-amz-date", "20150830T123600Z");
        String authorization =
                new AwsSignature("AKIDEXAMPLE", "us-east-1", "service")
                        .authorization(
                                new AwsSignature.Request(
                                        method,
                                        target,
                                        headers,
                                        AwsSignature.sha256(body.getBytes(StandardCharsets.UTF_8))),
                                AwsSignature.time(Instant.parse("2015-08-30T12:36:00Z")),
                                new Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
        assertThat(authorization)
                .startsWith(
                        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,");
        return authorization.substring(authorization.indexOf("Signature=") + 10);
    }

    private static String suite(String method, String target) {
        return suite(method, target, Map.of(), "");
    }

    @Test
    void testSuite() {
        assertThat(suite("GET", "/"))
                .isEqualTo("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        assertThat(suite("GET", "/?Param2=value2&Param1=value1"))
                .isEqualTo("b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
        assertThat(suite("POST", "/"))
                .isEqualTo("5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
        assertThat(
                        suite(
                                "POST",
                                "/",
                                Map.of("content-type", "application/x-www-form-urlencoded"),
                                "Param1=value1"))
                .isEqualTo("ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
        assertThat(suite("GET", "/", Map.of("my-header1", "value2,value2,value1"), ""))
                .isEqualTo("c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
        assertThat(
                        suite(
                                "GET",
                                "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
                .isEqualTo("07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f");
    }

    @Test
    void examplesOfS3() {
        Map<String, String> headers =
                Map.of(
                        "host",
                        "examplebucket.s3.amazonaws.com",
                        "range",
                        "bytes=0-9",
                        "x-amz-content-sha256",
                        EMPTY,
                        "x-amz-date",
                        "20130524T000000Z");
        assertThat(s3("/test.txt", headers))
                .endsWith(
                        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                                + " Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
        Map<String, String> plain = new HashMap<>(headers);
        plain.remove("range");
        assertThat(s3("/?lifecycle", plain))
                .endsWith("fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
        assertThat(s3("/?max-keys=2&prefix=J", plain))
                .endsWith("34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    }

    private static String s3(String target, Map<String, String> headers) {
        return new AwsSignature("AKIAIOSFODNN7EXAMPLE", "us-east-1", "s3")
                .authorization(
                        new AwsSignature.Request("GET", target, headers, EMPTY),
                        "20130524T000000Z",
                        new Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"));
    }
}
