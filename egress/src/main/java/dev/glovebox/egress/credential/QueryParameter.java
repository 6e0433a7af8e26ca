package dev.glovebox.egress.credential;

import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.protocol.Secret;
import io.netty.handler.codec.http.HttpRequest;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Puts a secret into the query of a request, once and at its end; what the client sent under that
/// name, in any spelling, goes.
///
/// @param name of the parameter
record QueryParameter(String name, Secret secret) {
    Optional<HttpMessages.Fault> project(HttpRequest sent) {
        int question = sent.uri().indexOf('?');
        String path = question < 0 ? sent.uri() : sent.uri().substring(0, question);
        String query = question < 0 ? "" : sent.uri().substring(question + 1);
        if (query.indexOf(';') >= 0) {
            return Optional.of(
                    new HttpMessages.Fault(
                            400, "its query has a \";\", which some servers read as \"&\""));
        }
        StringBuilder kept = new StringBuilder();
        for (String pair : query.split("&", -1)) {
            int equals = pair.indexOf('=');
            String key = equals < 0 ? pair : pair.substring(0, equals);
            try {
                if (!pair.isEmpty()
                        && !URLDecoder.decode(key, StandardCharsets.UTF_8)
                                .strip()
                                .equalsIgnoreCase(name)) {
                    kept.append(pair).append('&');
                }
            } catch (IllegalArgumentException e) {
                return Optional.of(new HttpMessages.Fault(400, "its query is not well encoded"));
            }
        }
        String value = URLEncoder.encode(secret.reveal(), StandardCharsets.UTF_8);
        sent.setUri(path + "?" + kept + name + "=" + value.replace("+", "%20"));
        return Optional.empty();
    }
}
