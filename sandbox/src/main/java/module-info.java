import org.jspecify.annotations.NullMarked;

/// The walls: a template and limits go in, a running sandbox comes out.
@NullMarked
module dev.glovebox.sandbox {
    requires static transitive org.jspecify;
    requires transitive dev.glovebox.linux;
    requires tools.jackson.databind;
    requires com.github.luben.zstd_jni;
    requires org.apache.commons.compress;
    requires java.net.http;

    exports dev.glovebox.sandbox;
    exports dev.glovebox.sandbox.guest;
    exports dev.glovebox.sandbox.image;
    exports dev.glovebox.sandbox.pool;
}
