import org.jspecify.annotations.NullMarked;

/// The words: wire records and events of the Managed Agents API, ids, problems, the egress policy
/// language and its pure decider, and the port between control plane and agent loop. No input or
/// output happens here.
@NullMarked
module dev.glovebox.protocol {
    requires static transitive org.jspecify;
    requires transitive tools.jackson.databind;
    requires tools.jackson.dataformat.yaml;

    exports dev.glovebox.protocol;
    exports dev.glovebox.protocol.agent;
    exports dev.glovebox.protocol.brain;
    exports dev.glovebox.protocol.egress;
    exports dev.glovebox.protocol.egress.credential;
    exports dev.glovebox.protocol.egress.file;
    exports dev.glovebox.protocol.egress.learn;
    exports dev.glovebox.protocol.egress.request;
    exports dev.glovebox.protocol.event;
    exports dev.glovebox.protocol.session;
    exports dev.glovebox.protocol.work;

    opens dev.glovebox.protocol to
            tools.jackson.databind;
    opens dev.glovebox.protocol.agent to
            tools.jackson.databind;
    opens dev.glovebox.protocol.event to
            tools.jackson.databind;
    opens dev.glovebox.protocol.session to
            tools.jackson.databind;
    opens dev.glovebox.protocol.work to
            tools.jackson.databind;
}
