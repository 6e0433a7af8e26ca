import org.jspecify.annotations.NullMarked;

/// The hands: claims work, opens a place for it, runs its calls and reports.
@NullMarked
module dev.glovebox.worker {
    requires static transitive org.jspecify;
    requires transitive dev.glovebox.protocol;
    requires transitive dev.glovebox.sandbox;
    requires transitive dev.glovebox.workspace;
    requires transitive dev.glovebox.egress;
    requires java.net.http;
    requires jdk.net;

    exports dev.glovebox.worker;
    exports dev.glovebox.worker.operator;
    exports dev.glovebox.worker.policy;
}
