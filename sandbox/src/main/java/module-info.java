import org.jspecify.annotations.NullMarked;

/// The walls: a template and limits go in, a running sandbox comes out.
@NullMarked
module dev.glovebox.sandbox {
    requires static transitive org.jspecify;
    requires dev.glovebox.linux;
    requires tools.jackson.databind;

    exports dev.glovebox.sandbox.guest;
}
