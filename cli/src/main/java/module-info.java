import org.jspecify.annotations.NullMarked;

/// The front: one main, one class per verb, wiring.
@NullMarked
module dev.glovebox.cli {
    requires static transitive org.jspecify;
    requires com.anthropic.client.okhttp;
    requires com.anthropic.core;
    requires dev.glovebox.brain;
    requires dev.glovebox.egress;
    requires dev.glovebox.linux;
    requires dev.glovebox.protocol;
    requires dev.glovebox.sandbox;
    requires dev.glovebox.server;
    requires dev.glovebox.worker;
    requires dev.glovebox.workspace;
    requires info.picocli;
    requires java.net.http;
    requires tools.jackson.dataformat.yaml;
    requires java.logging;
    requires jdk.httpserver;

    opens dev.glovebox.cli to
            info.picocli;
    opens dev.glovebox.cli.audit to
            info.picocli;
    opens dev.glovebox.cli.config to
            info.picocli;
    opens dev.glovebox.cli.operator to
            info.picocli;
    opens dev.glovebox.cli.policy to
            info.picocli;
}
