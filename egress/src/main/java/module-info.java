import org.jspecify.annotations.NullMarked;

/// The door: nothing leaves a sandbox unless a rule says so.
@NullMarked
module dev.glovebox.egress {
    requires static transitive org.jspecify;
    requires dev.glovebox.linux;
    requires transitive dev.glovebox.protocol;
}
