import org.jspecify.annotations.NullMarked;

/// The mind: agent loops behind one port.
@NullMarked
module dev.glovebox.brain {
    requires static transitive org.jspecify;
    requires transitive dev.glovebox.protocol;
    requires com.anthropic.core;
    requires com.anthropic.client.okhttp;

    exports dev.glovebox.brain;
}
