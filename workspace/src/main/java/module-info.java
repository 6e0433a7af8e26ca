import org.jspecify.annotations.NullMarked;

/// The durable disk that a session works in.
@NullMarked
module dev.glovebox.workspace {
    requires static transitive org.jspecify;
    requires dev.glovebox.linux;

    exports dev.glovebox.workspace;
}
