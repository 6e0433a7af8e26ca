package dev.glovebox.worker;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What commands in a sandbox are told of its door by variables: where its certificates are, and,
/// if the operator wants it, that it is a proxy.
///
/// Nothing needs the latter, since the door takes connections to anywhere. There is no `ALL_PROXY`
/// among the variables: programs that cannot do SOCKS fail on it instead of ignoring it.
final class DoorVariables {
    private static final String PROXY = "http://proxy.glovebox.internal:3128";

    /// What is inside: the names that `/etc/hosts` has, and their addresses.
    private static final String DIRECT = "localhost,127.0.0.1,::1,glovebox";

    private DoorVariables() {}

    static Map<String, String> of(DoorCertificates certificates, boolean proxy) {
        Map<String, String> variables = new HashMap<>(certificates.environment());
        if (proxy) {
            for (String name : List.of("HTTP_PROXY", "HTTPS_PROXY")) {
                put(variables, name, PROXY);
            }
            put(variables, "NO_PROXY", DIRECT);
        }
        return Map.copyOf(variables);
    }

    /// Some programs read only the one spelling, curl of `http_proxy` only the lower-case one.
    private static void put(Map<String, String> variables, String name, String value) {
        variables.put(name, value);
        variables.put(name.toLowerCase(Locale.ROOT), value);
    }
}
