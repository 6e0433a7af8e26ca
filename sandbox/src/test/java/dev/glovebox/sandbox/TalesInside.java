package dev.glovebox.sandbox;

import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A worker in a process of its own that says the name of its host, and then which files inside a
/// sandbox hold one of some words.
final class TalesInside {
    private static final String SEARCH =
            """
            import os, re
            words = open('/workspace/patterns', 'rb').read().splitlines()
            found = set()
            for top in ('/workspace', '/etc', '/proc', '/run', '/var'):
                for directory, below, names in os.walk(top):
                    below[:] = [name for name in below if name != 'task']
                    for name in names:
                        path = os.path.join(directory, name)
                        if os.path.islink(path) or re.match('/proc/k', path): continue
                        try:
                            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                        except OSError: continue
                        with os.fdopen(fd, 'rb', buffering=0) as file:
                            text = part = b' '
                            try:
                                while part and len(text) < 1000000:
                                    part = file.read(65536); text += part or b''
                            except OSError: pass
                        if any(word in text for word in words):
                            found.add(re.sub('^/proc/[0-9]+/', '/proc/N/', path))
            print('\\n'.join(sorted(found)))
            """;

    private TalesInside() {}

    /// The words are state directory, runtime, and the file with a line for each of the words.
    public static void main(String[] words) throws Exception {
        SandboxConfig config =
                new SandboxConfig(
                        Path.of(words[0]),
                        Optional.of(RuntimeName.valueOf(words[1])),
                        SandboxConfig.DEFAULT_START_TIMEOUT);
        Mount patterns = new Mount(Path.of(words[2]), "/workspace/patterns", true);
        SandboxSpec spec =
                new SandboxSpec(
                        "tales",
                        Template.BASE,
                        List.of(patterns),
                        Optional.empty(),
                        Limits.DEFAULT,
                        Map.of());
        try (PrintStream out =
                        new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out));
                Sandboxes sandboxes = Sandboxes.open(config);
                Sandbox sandbox = sandboxes.create(spec)) {
            out.println("host " + Files.readString(Path.of("/proc/sys/kernel/hostname")).strip());
            out.print(Ground.run(sandbox, "/usr/bin/python3", "-c", SEARCH).output());
        }
    }
}
