package dev.glovebox.cli.doctor;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Parts of the kernel by which programs without rights have written into the page cache, and so
/// into files of others: Copy Fail (CVE-2026-31431), Dirty Frag (CVE-2026-43284, CVE-2026-43500).
///
/// No sandbox can make a socket that would use or load them, but a neighbour on the host can.
final class ModuleFacts {
    private static final Set<String> MODULES = Set.of("af_alg", "esp4", "esp6", "rxrpc");
    private static final Pattern MODULE = Pattern.compile("([^/:]+)\\.ko(?:\\.[a-z]+)?(?::.*)?");
    private static final Pattern SHUT =
            Pattern.compile("\\s*install\\s+(\\S+)\\s+(?:\\S*/)?(?:false|true)\\b.*");
    private static final List<String> CONFIGURATIONS =
            List.of("etc/modprobe.d", "run/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d");

    private final HostFiles host;

    ModuleFacts(Path root) {
        this.host = new HostFiles(root);
    }

    List<HostFact> collect() {
        String modules = "lib/modules/" + host.read("proc/sys/kernel/osrelease");
        boolean loads =
                host.exists("proc/modules")
                        && !"1".equals(host.read("proc/sys/kernel/modules_disabled"));
        Set<String> there = running();
        there.addAll(listed(modules + "/modules.builtin"));
        if (loads) {
            Set<String> loadable = listed(modules + "/modules.dep");
            loadable.removeAll(shut());
            there.addAll(loadable);
        }
        if (!there.isEmpty()) {
            return List.of(
                    HostFact.warn(
                            "modules",
                            there.stream().sorted().collect(Collectors.joining(" ")),
                            "closed to sandboxes, whose sockets are ordinary ones; if nobody on this"
                                    + " host needs them: install NAME /bin/false in /etc/modprobe.d"));
        }
        return List.of(
                loads && !host.exists(modules + "/modules.dep")
                        ? HostFact.hint(
                                "modules",
                                "unknown, no list at /" + modules,
                                "af_alg, esp4, esp6 and rxrpc are closed to sandboxes in any case")
                        : HostFact.ok("modules", "none of af_alg, esp4, esp6, rxrpc"));
    }

    /// Loaded, or seen by the families of sockets that there are.
    private Set<String> running() {
        List<String> names = new ArrayList<>();
        host.lines("proc/modules").forEach(line -> names.add(line.split(" ", 2)[0]));
        host.lines("proc/net/protocols").forEach(line -> names.add(family(line.split(" ", 2)[0])));
        return names.stream().filter(MODULES::contains).collect(Collectors.toSet());
    }

    private static String family(String protocol) {
        return switch (protocol) {
            case "ALG" -> "af_alg";
            case "RXRPC" -> "rxrpc";
            default -> protocol;
        };
    }

    /// Of lines such as `kernel/crypto/af_alg.ko.xz: ...`.
    private Set<String> listed(String file) {
        return host.lines(file).stream()
                .map(line -> MODULE.matcher(line.substring(line.lastIndexOf('/', colon(line)) + 1)))
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1).replace('-', '_'))
                .filter(MODULES::contains)
                .collect(Collectors.toSet());
    }

    private static int colon(String line) {
        int colon = line.indexOf(':');
        return colon < 0 ? line.length() : colon;
    }

    /// Modules that modprobe is told to load by doing nothing.
    private Set<String> shut() {
        return CONFIGURATIONS.stream()
                .flatMap(directory ->
                        host.names(directory).stream()
                                .filter(name -> name.endsWith(".conf"))
                                .map(name -> directory + "/" + name))
                .flatMap(file -> shutBy(host.lines(file)))
                .collect(Collectors.toSet());
    }

    private static Stream<String> shutBy(List<String> lines) {
        return lines.stream()
                .map(SHUT::matcher)
                .filter(Matcher::matches)
                .map(matcher -> matcher.group(1).replace('-', '_'));
    }
}
