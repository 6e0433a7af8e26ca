import org.jspecify.annotations.NullMarked;

/// The front: one main, one class per verb, wiring.
@NullMarked
module dev.glovebox.cli {
    requires static transitive org.jspecify;
    requires dev.glovebox.protocol;
    requires info.picocli;

    opens dev.glovebox.cli to
            info.picocli;
}
