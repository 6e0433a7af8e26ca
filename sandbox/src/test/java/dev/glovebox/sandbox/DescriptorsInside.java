package dev.glovebox.sandbox;

import dev.glovebox.sandbox.root.BaseRoot;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A worker in a process of its own that says how many descriptors it has, and where each of its
/// sandbox's processes leads.
final class DescriptorsInside {
    private DescriptorsInside() {}

    /// Makes one sandbox in the state directory that is the only word, and removes both.
    public static void main(String[] words) throws Exception {
        Path state = Path.of(words[0]);
        try (PrintStream out =
                        new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out));
                Sandboxes sandboxes = Sandboxes.open(SandboxConfig.in(state));
                Sandbox sandbox = sandboxes.create(SandboxSpec.of("inside", List.of()))) {
            out.println("worker " + links("self").stream().filter("/etc"::equals).count());
            Ground.await("the runtime is gone", () -> sandbox.processes().size() == 1);
            for (int pid : sandbox.processes()) {
                links(String.valueOf(pid)).forEach(out::println);
            }
            out.println(Ground.shell(sandbox, "readlink /proc/self/fd/*").output().strip());
        } finally {
            BaseRoot.remove(state);
        }
    }

    private static List<String> links(String process) throws IOException {
        List<String> links = new ArrayList<>();
        try (var stream = Files.newDirectoryStream(Path.of("/proc", process, "fd"))) {
            for (Path link : stream) {
                if (Files.isSymbolicLink(link)) {
                    links.add(Files.readSymbolicLink(link).toString());
                }
            }
        }
        return links;
    }
}
