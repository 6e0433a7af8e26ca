import org.jspecify.annotations.NullMarked;

/// The desk: the control plane.
@NullMarked
module dev.glovebox.server {
    requires static transitive org.jspecify;
    requires transitive dev.glovebox.protocol;
}
