import org.jspecify.annotations.NullMarked;

/// The hands: claims work, opens a place for it, runs its calls and reports.
@NullMarked
module dev.glovebox.worker {
    requires static transitive org.jspecify;
    requires dev.glovebox.protocol;
    requires dev.glovebox.sandbox;
    requires dev.glovebox.workspace;
    requires dev.glovebox.egress;
}
