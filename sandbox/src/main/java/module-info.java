import org.jspecify.annotations.NullMarked;

/// The walls: a template and limits go in, a running sandbox comes out.
@NullMarked
module dev.glovebox.sandbox {
    requires static transitive org.jspecify;
    requires transitive dev.glovebox.linux;
    requires tools.jackson.databind;

    exports dev.glovebox.sandbox;
    exports dev.glovebox.sandbox.guest;
}
