import org.jspecify.annotations.NullMarked;

/// The words: wire records, ids, problems, the egress policy language and its pure decider.
@NullMarked
module dev.glovebox.protocol {
    requires static transitive org.jspecify;
    requires transitive tools.jackson.databind;
}
