package dev.glovebox.sandbox.launch;

import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.oci.Privileges;
import dev.glovebox.sandbox.root.RootLayers;
import dev.glovebox.sandbox.root.RootPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What to start, and of which files.
///
/// @param plan of its root
public record Order(SandboxSpec spec, RootPlan plan) {
    /// One to try a runtime with.
    public static Order trial(String name) {
        return of(SandboxSpec.of(name, List.of()), RootLayers.NONE);
    }

    /// One whose root is made of these layers.
    public static Order of(SandboxSpec spec, RootLayers layers) {
        return new Order(spec, plan(spec, layers, Optional.empty()));
    }

    /// One that keeps what is written to its root.
    public static Order keeping(SandboxSpec spec, RootLayers layers, Path upper) {
        return new Order(spec, plan(spec, layers, Optional.of(upper)));
    }

    /// The same with what a session has made of it.
    public Order with(SandboxSpec bound) {
        return new Order(bound, plan);
    }

    /// Who its commands run as.
    public Privileges privileges() {
        return switch (spec.template().profile()) {
            case STRICT -> Privileges.AGENT;
            case DEV -> Privileges.CONTAINER_ROOT;
            case NESTED -> Privileges.KERNEL_ROOT;
        };
    }

    /// What commands find in their environment where nothing else is said.
    public Map<String, String> environment() {
        boolean agent = privileges().equals(Privileges.AGENT);
        Map<String, String> environment = new TreeMap<>();
        environment.put("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
        environment.put("HOME", "/home/agent");
        environment.put("USER", agent ? "agent" : "root");
        environment.put("LOGNAME", agent ? "agent" : "root");
        environment.put("SHELL", plan.host() ? "/bin/bash" : "/bin/sh");
        environment.put("LANG", "C.UTF-8");
        environment.put("TMPDIR", "/tmp");
        if (!agent) {
            environment.put("DEBIAN_FRONTEND", "noninteractive");
        }
        environment.putAll(processors(Runtime.getRuntime().availableProcessors()));
        environment.putAll(plan.layers().environment());
        environment.putAll(spec.template().environment());
        environment.putAll(spec.environment());
        return environment;
    }

    /// By which programs begin no more threads than get processor time, where a sandbox gets less
    /// of it than the host has: nothing else inside says so, `docs/decisions/0033`.
    Map<String, String> processors(int ofTheHost) {
        int most = (int) Math.ceil(spec.limits().cpus());
        return most >= ofTheHost
                ? Map.of()
                : Map.of(
                        "OMP_NUM_THREADS", Integer.toString(most),
                        "GOMAXPROCS", Integer.toString(most));
    }

    private static RootPlan plan(SandboxSpec spec, RootLayers layers, Optional<Path> kept) {
        Template template = spec.template();
        Optional<RootPlan.Writable> writable =
                template.writableRoot()
                        ? Optional.of(new RootPlan.Writable(kept, spec.limits().rootBytes()))
                        : Optional.empty();
        return new RootPlan(template.root() instanceof Root.Host, layers, writable);
    }
}
